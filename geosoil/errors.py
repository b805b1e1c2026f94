"""The errors geosoil raises: what is wrong, what was found, what to do next."""


class GeosoilError(Exception):
    """Base of every error that geosoil raises on purpose."""


class InputError(GeosoilError, ValueError):
    """An argument or a value in the data breaks a stated rule."""


class SampleTableError(InputError):
    """A sample table cannot be used; the message lists every fault found."""


class GridMismatchError(InputError):
    """Two rasters do not lie on the same grid."""


class MissingCRSError(InputError):
    """Data without a coordinate reference system where one is needed."""


class MixingError(InputError):
    """End members that cannot answer the mixing question (collinear, equal, few)."""


class FileFormatError(GeosoilError, OSError):
    """A file is damaged, of another format, or lacks the layer asked for."""


class MissingFileError(GeosoilError, FileNotFoundError):
    """A named input path does not exist."""


class ConfigError(GeosoilError, ValueError):
    """A setting in geosoil.toml is unknown or out of range."""


class GeosoilWarning(UserWarning):
    """A result that stands, but with a caution the user must see."""
