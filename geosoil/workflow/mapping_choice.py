"""Which method makes the maps of a period: what predicts blocks left out best."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd

from geosoil.config import InterpolationSettings
from geosoil.errors import InputError
from geosoil.grids.grid import BoolArray, FloatArray
from geosoil.interpolation.validation_folds import Folds, IntArray, fold_labels
from geosoil.interpolation.validation_scores import score_predictions
from geosoil.workflow.mapping_coordinates import (
    LOG_RATIOS,
    coordinate_names,
    coordinates,
    fractions,
)
from geosoil.workflow.mapping_methods import (
    FEWEST,
    METHODS,
    Models,
    Places,
    fit_models,
    method_weights,
    variances,
)
from geosoil.workflow.mapping_sites import Domain, PeriodSites
from geosoil.workflow.mapping_verdict import compare_losses, take_method

WIDEST_BLOCK, USUAL_BLOCK = 3, 8
"""A block spans at most one part in three of the sites' extent; one in eight where no
variogram has a range."""

MOST_MOVED = 0.1
"""Largest share of sites outside 0 to 1 with which log-ratios may be taken."""

KEPT = (
    "variograms fitted to all sites and kept, which makes the scores of kriging a "
    "little too good"
)

Candidates = dict[str, dict[str, Models]]
"""Models by method and label of the domain."""


@dataclass(frozen=True, slots=True, eq=False)
class Choice:
    """The method of a period's maps, and what spoke for it."""

    method: str
    """Name of the method."""
    words: str
    """Why it was taken."""
    scores: pd.DataFrame
    """One row a method and source ("all": all sources together)."""
    predictions: pd.DataFrame
    """Predictions of the method that was taken: site, source, observed, predicted,
    fold."""
    candidates: Candidates
    """Models of every method that could be fitted, by label of the domain."""

    @property
    def models(self) -> dict[str, Models]:
        """Models of the method by label of the domain."""
        return self.candidates[self.method]

    @property
    def variograms(self) -> dict[str, Models]:
        """Models of ordinary kriging by label of the domain; else of the method."""
        return self.candidates.get("kriging", self.models)


def choose_method(
    sites: PeriodSites, domains: list[Domain], settings: InterpolationSettings
) -> Choice:
    """Cross-validate the methods of a period and take one.

    Parameters
    ----------
    sites : PeriodSites
        Sites of the period.
    domains : list of Domain
        Its domains.
    settings : InterpolationSettings
        Method wanted, or "auto".

    Returns
    -------
    choice : Choice
        The method of the settings; with "auto" the one of the lowest score, but the
        mean of the domain where none is better than it by more than one standard
        error of the difference.

    Notes
    -----
    Blocks are left out: squares in which sites, whole profiles with all their depths
    and parallel samples, stay together. The score of a site is the squared Euclidean
    distance between its raw fractions and the predicted composition, summed over the
    sources that can be there. Raw fractions are unbiased, so their error adds the same
    to the score of every method; distances of log-ratios are not defined for them, as
    they may lie outside 0 to 1. Log-ratios are compared too, but "auto" takes them
    only where at most a tenth of the sites lies outside: the others are moved to the
    edge one by one, a bias of the mean that noisy sites do not show in the score.
    """
    candidates, reasons = _candidates(sites, domains, settings)
    labels, size = block_labels(sites, candidates, settings)
    predicted = {
        name: _predicted(sites, domains, (name, settings), models, labels)
        for name, models in candidates.items()
    }
    tested = _tested(sites, domains)
    losses = {name: _losses(sites, table) for name, (table, _) in predicted.items()}
    common = tested & np.logical_and.reduce([np.isfinite(x) for x in losses.values()])
    losses = {name: loss[common] for name, loss in losses.items()}
    compared = compare_losses(losses, labels[common])
    own = sites.raw[tested]
    moved = int(np.sum(np.any((own < 0) | (own > 1), axis=1)))
    if moved > MOST_MOVED * len(own):
        reasons[LOG_RATIOS] = (
            f"{LOG_RATIOS} is not taken: {moved} of {len(own)} sites lie outside 0 to "
            "1 and would be moved to the edge, which biases the map"
        )
    method, words = take_method(compared, settings, reasons)
    scores = _scores(sites, predicted, common, (compared, labels, size))
    scores["chosen"] = scores["method"] == method
    table = _long(sites, predicted[method][0], labels, tested)
    return Choice(method, words, scores, table, candidates)


def _candidates(
    sites: PeriodSites, domains: list[Domain], settings: InterpolationSettings
) -> tuple[Candidates, dict[str, str]]:
    """Fit every method to the domains that have several sources and enough sites."""
    found: Candidates = {}
    reasons: dict[str, str] = {}
    several = [d for d in domains if len(d.sources) > 1 and d.sites.sum() >= FEWEST]
    for method in METHODS:
        kind = "kriging" if method == "idw" else method
        try:
            models = found.get(kind) or {
                domain.label: fit_models(sites, domain, kind, settings)
                for domain in several
            }
        except InputError as error:
            reasons[method] = str(error)
            continue
        found[method] = models
    return found, reasons


def block_labels(
    sites: PeriodSites, candidates: Candidates, settings: InterpolationSettings
) -> tuple[IntArray, float]:
    """Put the sites of a period into blocks.

    Parameters
    ----------
    sites : PeriodSites
        Sites of the period.
    candidates : dict
        Fitted models, whose ranges tell how far values resemble each other.
    settings : InterpolationSettings
        Side of the blocks, where given.

    Returns
    -------
    labels : array of int, shape (n,)
        Block of each site.
    size : float
        Side of the blocks [m].

    References
    ----------
    Roberts et al. (2017), Cross-validation strategies for data with temporal, spatial,
    hierarchical, or phylogenetic structure, Ecography 40, doi:10.1111/ecog.02881.
    """
    extent = float(np.ptp(sites.xy, axis=0).max())
    if extent == 0.0:
        return np.zeros(len(sites.xy), dtype=np.int64), 0.0
    if settings.block_km is not None:
        size = settings.block_km * 1000.0
    else:
        ranges = [
            model.variogram.range_
            for models in candidates.get("kriging", {}).values()
            for model in models.values()
            if model.variogram.model != "nugget"
        ]
        size = min(max(ranges, default=extent / USUAL_BLOCK), extent / WIDEST_BLOCK)
    return fold_labels(Folds("block"), sites.xy, block_size=size), size


def _predicted(
    sites: PeriodSites,
    domains: list[Domain],
    how: tuple[str, InterpolationSettings],
    models: dict[str, Models],
    labels: IntArray,
) -> tuple[FloatArray, FloatArray]:
    """Predicted compositions and variances of raw fractions, shape (n, source)."""
    shape = (len(sites.xy), len(sites.sources))
    found, spread = np.full(shape, np.nan), np.full(shape, np.nan)
    for domain in domains:
        absent = [i for i, s in enumerate(sites.sources) if s not in domain.sources]
        own = [sites.sources.index(source) for source in domain.sources]
        if domain.label not in models:
            continue
        for fold in np.unique(labels[domain.sites]):
            test = domain.sites & (labels == fold)
            train = domain.sites & (labels != fold)
            if train.sum() < FEWEST:
                continue
            split = (train, test)
            values, variance = _left_out(
                sites, domain, how, models[domain.label], split
            )
            found[np.ix_(test, own)] = values
            found[np.ix_(test, absent)] = 0.0
            if how[0] != LOG_RATIOS:
                spread[np.ix_(test, own)] = variance
    return found, spread


def _left_out(
    sites: PeriodSites,
    domain: Domain,
    how: tuple[str, InterpolationSettings],
    models: Models,
    split: tuple[BoolArray, BoolArray],
) -> tuple[FloatArray, FloatArray]:
    """Predict some sites of a domain from the others, with the residuals' variance."""
    train, test = split
    own = [sites.sources.index(source) for source in domain.sources]
    data = coordinates(sites.raw[train][:, own], how[0])
    places = Places(sites.xy[test], sites.ground[test])
    weights = method_weights(sites, train, models, places, how)
    values, variance = [], []
    for order, name in enumerate(coordinate_names(domain.sources, how[0])):
        model = models[name]
        values.append(weights[name] @ data[:, order])
        parts = variances(model, weights[name], sites.xy[train], places)
        variance.append(sum(parts) + model.noise)
    return fractions(np.column_stack(values), how[0]), np.column_stack(variance)


def _tested(sites: PeriodSites, domains: list[Domain]) -> BoolArray:
    """Say which sites have more than one possible source, so something to predict."""
    several = np.zeros(len(sites.xy), dtype=bool)
    for domain in domains:
        if len(domain.sources) > 1:
            several |= domain.sites
    return several


def _losses(sites: PeriodSites, predicted: FloatArray) -> FloatArray:
    """Squared distance between raw and predicted fractions of each site."""
    loss: FloatArray = np.sum((sites.raw - predicted) ** 2, axis=1)
    return loss


def _scores(
    sites: PeriodSites,
    predicted: dict[str, tuple[FloatArray, FloatArray]],
    common: BoolArray,
    against: tuple[pd.DataFrame, IntArray, float],
) -> pd.DataFrame:
    """Scores of each method, over all sources together and of each source."""
    compared, labels, size = against
    rows = []
    for name, (values, spread) in predicted.items():
        shared = {
            "period": sites.period,
            "method": name,
            "n": int(common.sum()),
            "folds": len(np.unique(labels)),
            "block_km": size / 1000.0,
        }
        loss, difference, error = compared.loc[name].to_numpy(dtype=float)
        rows.append(
            shared
            | {
                "source": "all",
                "rmse": float(np.sqrt(loss)),
                "difference_to_mean": float(difference),
                "difference_se": float(error),
                "note": "" if name in ("mean", "idw") else KEPT,
            }
        )
        for place, source in enumerate(sites.sources):
            part = sites.raw[common, place], values[common, place]
            scores = score_predictions(*part, spread[common, place])
            own = {"mean_error": scores.mean_error, "rmse": scores.rmse}
            own |= {"mae": scores.mae, "msdr": scores.msdr, "picp90": scores.picp90}
            rows.append(shared | {"source": source} | own)
    first = ["period", "method", "source", "n", "folds", "block_km", "rmse"]
    table = pd.DataFrame(rows)
    table["note"] = table["note"].fillna("")
    return table[[*first, *(c for c in table if c not in first)]]


def _long(
    sites: PeriodSites, predicted: FloatArray, labels: IntArray, tested: BoolArray
) -> pd.DataFrame:
    """One row a site and source that a method predicted."""
    parts = [
        pd.DataFrame(
            {
                "period": sites.period,
                "site": np.flatnonzero(tested),
                "source": source,
                "observed": sites.raw[tested, place],
                "predicted": predicted[tested, place],
                "fold": labels[tested],
            }
        )
        for place, source in enumerate(sites.sources)
    ]
    return pd.concat(parts, ignore_index=True)
