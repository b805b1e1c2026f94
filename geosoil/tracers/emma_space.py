"""Mixtures in the space of their principal components, and end members in it."""

from __future__ import annotations

import warnings
from dataclasses import dataclass
from typing import Literal

import numpy as np
import numpy.typing as npt
import pandas as pd

from geosoil.errors import GeosoilWarning, InputError, MixingError
from geosoil.tracers import _kernels_emma, _kernels_mixing
from geosoil.tracers.emma_components import MixtureComponents, axis_names
from geosoil.tracers.endmembers import EndMembers
from geosoil.tracers.groups import check_columns
from geosoil.tracers.mixing import Constraint
from geosoil.tracers.mixing_solver import OUTSIDE, ROUNDING
from geosoil.tracers.mixing_space import check_mixing_space

FloatArray = npt.NDArray[np.float64]
EndMemberForm = Literal["measured", "projected"]


@dataclass(frozen=True, slots=True, eq=False)
class Emma:
    """Mixtures in the space of their first principal components.

    Make it with `emma`.

    Examples
    --------
    >>> from geosoil.tracers.emma import emma
    >>> soil = pd.DataFrame({"Ca": [9., 1, 2, 4], "Mg": [1., 8, 2, 4],
    ...                      "Na": [2., 2, 7, 3.6], "Cl": [1., 3, 4, 2.6]})
    >>> found = emma(soil.iloc[[0, 1, 2, 3, 0]], tracers=soil.columns, n_components=2)
    >>> found.n, found.scores.shape
    (5, (5, 2))
    """

    components: MixtureComponents
    """Mean, standard deviation, eigenvalues and loadings, as arrays."""
    covariances: FloatArray
    """Measurement covariances of all mixtures, shape (n, tracer, tracer)."""
    scores: pd.DataFrame
    """Mixtures in the space kept, columns ``U1`` and on, index of the mixtures; NaN
    where a tracer is missing."""
    reason: pd.Series
    """Why a mixture was left out; "" where it was used."""
    n_components: int
    """Number of components kept; one end member more is needed."""
    rule: str
    """Rule that chose the components, or "given"."""

    @property
    def tracers(self) -> tuple[str, ...]:
        """Names of the tracers."""
        return self.components.tracers

    @property
    def mean(self) -> pd.Series:
        """Mean of each tracer in the mixtures used."""
        return self._by_tracer(self.components.parts.mean, "mean")

    @property
    def sd(self) -> pd.Series:
        """Standard deviation (n - 1) of each tracer in the mixtures used."""
        return self._by_tracer(self.components.parts.sd, "sd")

    @property
    def eigenvalues(self) -> pd.Series:
        """Eigenvalues of the correlation matrix by component, largest first."""
        found = self.components.parts.eigenvalues
        return pd.Series(found, index=axis_names(len(found)), name="eigenvalue")

    @property
    def explained(self) -> pd.Series:
        """Share of the standardised variance by component; they sum to 1."""
        return (self.eigenvalues / len(self.tracers)).rename("explained")

    @property
    def loadings(self) -> pd.DataFrame:
        """Eigenvectors, a row a tracer and a column a component."""
        found = self.components.parts.loadings
        return pd.DataFrame(
            found, index=list(self.tracers), columns=axis_names(len(found))
        )

    @property
    def observed(self) -> pd.DataFrame:
        """Tracers of all mixtures, index of the mixtures."""
        return pd.DataFrame(
            self.components.observed, index=self.scores.index, columns=self.tracers
        )

    @property
    def n(self) -> int:
        """Number of mixtures used."""
        return int(self.components.sound.sum())

    @property
    def dropped(self) -> pd.Series:
        """Mixtures left out, with the reason."""
        return self.reason[self.reason != ""]

    def project(self, end_members: EndMembers) -> pd.DataFrame:
        """Put end members into the space of the mixtures and tell how they fit.

        Parameters
        ----------
        end_members : EndMembers
            Sources of one stratum, as many as you like, with all tracers.

        Returns
        -------
        projected : DataFrame
            Index ``source``; ``U1`` and on; ``<tracer>``, what is left of the end
            member in the space [unit of the tracer]; ``<tracer>_misfit``, (projected
            - measured) / abs(measured) in percent, missing where measured is 0;
            ``distance`` to the space [standard deviations of the mixtures];
            ``relative_distance``, 0 in the space and 1 at a right angle to it.

        Raises
        ------
        MixingError
            If end members have strata, or a tracer is missing.

        Notes
        -----
        End members are standardised with the mean and standard deviation of the
        mixtures: Z = (B - mean) / sd, U = Z V. Projected: U V' sd + mean. Percents
        of delta values hang on the standard's zero; look at ``distance`` there.

        References
        ----------
        Christophersen and Hooper (1992), Water Resour. Res. 28, 99-107,
        doi:10.1029/91WR02518.

        Examples
        --------
        >>> from geosoil.tracers.emma import emma
        >>> soil = pd.DataFrame({"Ca": [1., 2, 3, 4], "Mg": [2., 4, 6, 8.2],
        ...                      "Na": [9., 8, 7, 6]}).iloc[[0, 1, 2, 3, 1]]
        >>> rain = pd.DataFrame({"source": ["rain"], "Ca": [0.], "Mg": [0.1],
        ...                      "Na": [10.]})
        >>> space = emma(soil, tracers=["Ca", "Mg", "Na"])
        >>> space.project(EndMembers.from_table(rain))["Na_misfit"].round(1).tolist()
        [-0.3]
        """
        means, parts = self._means(end_members), self.components.parts
        points = _kernels_emma.scores(means, parts, self.n_components)
        projected = _kernels_emma.restored(points, parts)
        measured = np.where(means == 0, np.nan, np.abs(means))
        table = pd.DataFrame(points, columns=self.scores.columns)
        for place, tracer in enumerate(self.tracers):
            table[tracer] = projected[:, place]
            change = projected[:, place] - means[:, place]
            table[f"{tracer}_misfit"] = 100.0 * change / measured[:, place]
        table["distance"] = np.linalg.norm((projected - means) / parts.sd, axis=1)
        away = np.linalg.norm((means - parts.mean) / parts.sd, axis=1)
        table["relative_distance"] = table["distance"] / np.where(away > 0, away, 1.0)
        return table.set_index(pd.Index(end_members.sources, name="source"))

    def residuals(self, n_components: int | None = None) -> pd.DataFrame:
        """List what the components do not give back, for one rank or for all.

        Parameters
        ----------
        n_components : int, optional
            Number of components; by default every rank from 1 to tracers - 1.

        Returns
        -------
        residuals : DataFrame
            Index of the mixtures, once for each ``rank`` and ``tracer``;
            ``observed``, ``projected``, and ``residual`` = projected - observed, all
            in the tracer's unit. `residual_diagnostics` sums them up.

        Raises
        ------
        InputError
            If the number is not within 1 and the number of tracers.

        Examples
        --------
        >>> from geosoil.tracers.emma import emma
        >>> soil = pd.DataFrame({"Ca": [1., 2, 3, 4], "Mg": [2., 4, 6, 8.2],
        ...                      "Na": [9., 8, 7, 6]})
        >>> space = emma(soil, tracers=["Ca", "Mg", "Na"])
        >>> len(space.residuals(1))
        12
        """
        size = len(self.tracers)
        if n_components is not None and n_components not in range(1, size + 1):
            message = f"n_components is {n_components}; give 1 to {size}."
            raise InputError(message)
        observed, parts = self.components.observed, self.components.parts
        tables = []
        for rank in range(1, size) if n_components is None else [n_components]:
            points = _kernels_emma.scores(observed, parts, rank)
            projected = _kernels_emma.restored(points, parts)
            for place, tracer in enumerate(self.tracers):
                columns = {
                    "rank": rank,
                    "tracer": tracer,
                    "observed": observed[:, place],
                    "projected": projected[:, place],
                    "residual": projected[:, place] - observed[:, place],
                }
                tables.append(pd.DataFrame(columns, index=self.scores.index))
        return pd.concat(tables)

    def fractions(
        self, end_members: EndMembers, *, constraint: Constraint = "simplex"
    ) -> pd.DataFrame:
        """Solve the fractions of the end members in the space of the components.

        Parameters
        ----------
        end_members : EndMembers
            As many sources as components and one more, of one stratum.
        constraint : {"simplex", "none"}
            Whether ``<source>`` is held within 0 and 1: a mixture outside goes to
            the nearest point of the polygon.

        Returns
        -------
        fractions : DataFrame
            Index of the mixtures; ``<source>``; ``<source>_sd``, first order, of the
            raw fraction, missing where neither end members nor mixtures have a
            spread; ``<source>_raw``; ``distance`` to the polygon in the space
            [standard deviations of the mixtures]; ``reason``, "outside mixing space"
            where a raw fraction is negative: count these rows.

        Raises
        ------
        MixingError
            If the number of end members is another, they are equal or collinear in
            the space, have strata, or lack a tracer.
        InputError
            If the constraint is unknown.

        Warns
        -----
        GeosoilWarning
            Where end members are nearly collinear in the space.

        Notes
        -----
        Solves [B'; 1'] f = [u; 1], B the end members in the space. Every component
        weighs one. Sums of fractions are 1 without rounding to it afterwards.

        References
        ----------
        Christophersen and Hooper (1992), Water Resour. Res. 28, 99-107,
        doi:10.1029/91WR02518.

        Examples
        --------
        >>> from geosoil.tracers.emma import emma
        >>> soil = pd.DataFrame({"Ca": [1., 2, 3, 4], "Mg": [2., 4, 6, 8],
        ...                      "Na": [9., 8, 7, 6]})
        >>> ends = pd.DataFrame({"source": ["rain", "ice"], "Ca": [0., 5],
        ...                      "Mg": [0., 10], "Na": [10., 5]})
        >>> space = emma(soil, tracers=["Ca", "Mg", "Na"])
        >>> space.fractions(EndMembers.from_table(ends))["ice"].round(3).tolist()
        [0.2, 0.4, 0.6, 0.8]
        """
        if constraint not in ("simplex", "none"):
            message = f"Unknown constraint '{constraint}'. Choose simplex or none."
            raise InputError(message)
        corners, spread = self._corners(end_members)
        sound = self.components.sound
        points = self.scores.to_numpy()[sound]
        own = self._turned(self.covariances[sound])
        found = _kernels_mixing.mix_rows(points, own, corners, spread, weighted=False)
        known = own.any() or spread.any()
        gap = np.linalg.norm(points - found.fractions @ corners, axis=1)
        outside = (found.raw < -ROUNDING).any(axis=1)
        shown = found.fractions if constraint == "simplex" else found.raw
        columns = {}
        for place, source in enumerate(end_members.sources):
            columns[source] = shown[:, place]
            sd = np.sqrt(found.variance[:, place])
            columns[f"{source}_sd"] = sd if known else np.full(len(sd), np.nan)
            columns[f"{source}_raw"] = found.raw[:, place]
        columns["distance"] = gap * outside
        index = self.scores.index
        table = pd.DataFrame(columns, index=np.flatnonzero(sound))
        table = table.reindex(range(len(index))).set_axis(index, axis=0)
        reason = self.reason.to_numpy(dtype=object, copy=True)
        reason[np.flatnonzero(sound)[outside]] = OUTSIDE
        return table.assign(reason=reason)

    def predict(
        self,
        fractions: pd.DataFrame,
        end_members: EndMembers,
        *,
        form: EndMemberForm = "measured",
    ) -> pd.DataFrame:
        """Give the tracers that fractions of end members would make.

        Parameters
        ----------
        fractions : DataFrame
            One column a source, such as `Emma.fractions` gives.
        end_members : EndMembers
            The sources.
        form : {"measured", "projected"}
            Tracers of the end members as they were measured, or what is left of them
            in the space of the components.

        Returns
        -------
        predicted : DataFrame
            Index of the fractions, a column a tracer in its own unit.

        Raises
        ------
        InputError
            If a source has no column, or the form is unknown.
        MixingError
            If end members have strata or lack a tracer.

        Examples
        --------
        >>> from geosoil.tracers.emma import emma
        >>> soil = pd.DataFrame({"Ca": [1., 2, 3, 4], "Mg": [2., 4, 6, 8],
        ...                      "Na": [9., 8, 7, 6]})
        >>> ends = EndMembers.from_table(pd.DataFrame({"source": ["rain", "ice"],
        ...     "Ca": [0., 5], "Mg": [0., 10], "Na": [10., 5]}))
        >>> space = emma(soil, tracers=["Ca", "Mg", "Na"])
        >>> space.predict(space.fractions(ends), ends)["Mg"].round(3).tolist()
        [2.0, 4.0, 6.0, 8.0]
        """
        if form not in ("measured", "projected"):
            message = f"Unknown form '{form}'. Choose measured or projected."
            raise InputError(message)
        check_columns(fractions, end_members.sources, what="Fractions")
        means = self._means(end_members)
        if form == "projected":
            means = self.project(end_members)[list(self.tracers)].to_numpy()
        shares = fractions[list(end_members.sources)].to_numpy(dtype=float)
        return pd.DataFrame(
            shares @ means, index=fractions.index, columns=list(self.tracers)
        )

    def _means(self, end_members: EndMembers) -> FloatArray:
        if end_members.by:
            message = (
                f"End members are given by {', '.join(end_members.by)}. Select one "
                "stratum: end_members.select(...)."
            )
            raise MixingError(message)
        return end_members.means(self.tracers)

    def _corners(self, end_members: EndMembers) -> tuple[FloatArray, FloatArray]:
        """Give end members and their covariances in the space, checked."""
        names, needed = end_members.sources, self.n_components + 1
        means = self._means(end_members)
        if len(names) != needed:
            message = (
                f"{len(names)} end members ({', '.join(names)}); {self.n_components} "
                f"components ask for {needed}. Choose {needed} of them or keep "
                f"{len(names) - 1} components."
            )
            raise MixingError(message)
        corners = _kernels_emma.scores(means, self.components.parts, self.n_components)
        axes = list(self.scores.columns)
        table = pd.DataFrame(corners, columns=axes).assign(source=names)
        space = check_mixing_space(EndMembers.from_table(table), tracers=axes)
        if space.ill_conditioned:
            caution = (
                f"End members {', '.join(names)} are nearly collinear in "
                f"{', '.join(axes)} (condition number {space.condition_number:.0f}): "
                "their fractions hang on small differences."
            )
            warnings.warn(caution, GeosoilWarning, stacklevel=3)
        return corners, self._turned(end_members.covariances(self.tracers))

    def _turned(self, covariances: FloatArray) -> FloatArray:
        return _kernels_emma.turned_covariances(
            covariances, self.components.parts, self.n_components
        )

    def _by_tracer(self, values: FloatArray, name: str) -> pd.Series:
        return pd.Series(values, index=list(self.tracers), name=name)
