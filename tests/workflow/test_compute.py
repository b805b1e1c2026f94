"""Threads and a cluster of two processes give one answer; what cannot be is named."""

from __future__ import annotations

import os
import signal
import time
from collections.abc import Iterator
from importlib import import_module
from typing import Any

import dask
import dask.array as da
import numpy as np
import pytest
import xarray as xr

from geosoil.correlation.temporal import correlate
from geosoil.errors import GeosoilError, InputError
from geosoil.workflow import compute
from geosoil.workflow.compute import computing

distributed = pytest.importorskip("distributed")

Pair = tuple[xr.DataArray, xr.DataArray]


@pytest.fixture(scope="module")
def cluster() -> Iterator[Any]:
    with distributed.LocalCluster(
        n_workers=2,
        processes=True,
        threads_per_worker=1,
        host="127.0.0.1",
        dashboard_address="127.0.0.1:0",
    ) as made:
        # Small blocks are summed by numpy where the compiled code is not yet loaded.
        # Functions inside functions travel by value: workers do not know the tests.
        def load_kernels() -> None:
            import_module("geosoil.correlation._kernels")

        load_kernels()
        with distributed.Client(made.scheduler_address) as client:
            client.run(load_kernels)
        yield made


@pytest.fixture
def pair() -> Pair:
    rng = np.random.default_rng(7)
    x = rng.normal(280.0, 8.0, (24, 12, 10))
    y = 0.05 * (x - 280) + rng.normal(size=x.shape)
    x[rng.random(x.shape) < 0.1] = np.nan
    return (
        xr.DataArray(x, dims=("time", "y", "x"), name="x"),
        xr.DataArray(y, dims=("time", "y", "x"), name="y"),
    )


def on_threads(lazy: xr.Dataset) -> xr.Dataset:
    with computing(None):
        return lazy.compute()


@pytest.mark.parametrize("method", ["pearson", "spearman", "kendall"])
def test_chunks_in_space_are_the_same_on_a_cluster(
    cluster: Any, pair: Pair, method: Any
) -> None:
    x, y = (series.chunk(time=-1, y=4, x=5) for series in pair)
    lazy = correlate(x, y, method=method)
    with computing(cluster.scheduler_address):
        found = lazy.compute()
    xr.testing.assert_identical(found, on_threads(lazy))
    assert np.isfinite(found["r"]).all()


@pytest.mark.parametrize("lag", [0, 2])
def test_chunks_in_time_are_the_same_on_a_cluster(
    cluster: Any, pair: Pair, lag: int
) -> None:
    x, y = (series.chunk(time=7, y=6) for series in pair)
    lazy = correlate(x, y, lag=lag)
    with computing(cluster.scheduler_address):
        found = lazy.compute()
    xr.testing.assert_identical(found, on_threads(lazy))
    xr.testing.assert_allclose(found, correlate(*pair, lag=lag), rtol=1e-12)


def test_graphs_run_in_the_processes_of_the_cluster(cluster: Any) -> None:
    pids = da.zeros(4, chunks=1).map_blocks(lambda _: np.array([os.getpid()]))
    with computing(cluster.scheduler_address):
        found = set(pids.compute().tolist())
    workers = {worker.pid for worker in cluster.workers.values()}
    assert found <= workers
    assert os.getpid() not in found


def test_the_cluster_goes_on_and_threads_return_after_the_block(cluster: Any) -> None:
    before = dask.config.get("scheduler", None)
    for _ in range(2):
        with computing(cluster.scheduler_address):
            assert int(da.arange(5, chunks=2).sum().compute()) == 10
    assert dask.config.get("scheduler", None) == before
    with pytest.raises(ValueError, match="No global client found"):
        distributed.get_client()


def test_an_error_in_the_block_comes_out_and_ends_the_connection(cluster: Any) -> None:
    with pytest.raises(ZeroDivisionError), computing(cluster.scheduler_address):
        _ = 1 // 0
    with pytest.raises(ValueError, match="No global client found"):
        distributed.get_client()


@pytest.mark.slow
def test_a_worker_killed_in_mid_run_loses_nothing(cluster: Any, pair: Pair) -> None:
    def slow(block: np.ndarray) -> np.ndarray:
        time.sleep(0.05)
        return block

    x, y = (series.chunk(time=4, y=6, x=5) for series in pair)
    lazy = correlate(x.copy(data=x.data.map_blocks(slow)), y)
    whole = correlate(x, y).compute(scheduler="threads")
    with computing(cluster.scheduler_address):
        client = distributed.get_client()
        running = client.persist(lazy)
        while not any(client.processing().values()):
            time.sleep(0.01)
        victim = next(iter(cluster.workers.values())).pid
        time.sleep(0.2)
        os.kill(victim, signal.SIGKILL)
        assert any(part.status == "pending" for part in distributed.futures_of(running))
        found = running.compute()
        client.wait_for_workers(2, timeout=30)
        assert victim not in client.run(os.getpid).values()
    xr.testing.assert_identical(found, whole)


def test_workers_of_another_version_are_named(cluster: Any) -> None:
    def be(version: str) -> str:
        import geosoil

        before, geosoil.__version__ = geosoil.__version__, version
        return before

    address = cluster.scheduler_address
    with distributed.Client(address) as client:
        one = next(iter(client.scheduler_info()["workers"]))
        true = client.run(be, "0.0.1", workers=[one])[one]
        try:
            with (
                pytest.raises(GeosoilError, match=r"has 0\.0\.1\. Install the same"),
                computing(address),
            ):
                pass
        finally:
            client.run(be, true, workers=[one])


def test_workers_without_geosoil_are_named(cluster: Any) -> None:
    def hide() -> None:
        import sys

        sys.hidden = sys.modules["geosoil"]  # type: ignore[attr-defined]
        sys.modules["geosoil"] = None  # type: ignore[assignment]

    def show() -> None:
        import sys

        sys.modules["geosoil"] = sys.hidden  # type: ignore[attr-defined]

    address = cluster.scheduler_address
    with distributed.Client(address) as client:
        client.run(hide)
        try:
            with (
                pytest.raises(GeosoilError, match=r"has none \(.*; tcp://.* has none"),
                computing(address),
            ):
                pass
        finally:
            client.run(show)


def test_a_scheduler_without_workers_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(compute, "SECONDS", 0.5)
    with distributed.LocalCluster(
        n_workers=0, host="127.0.0.1", dashboard_address="127.0.0.1:0"
    ) as empty:
        address = empty.scheduler_address
        with pytest.raises(GeosoilError, match="has no workers"), computing(address):
            pass


def test_no_cluster_at_the_address_is_told_with_the_mend(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(compute, "SECONDS", 0.5)
    match = r"answers at 'tcp://127\.0\.0\.1:9' within 0\.5 s: .*dask scheduler"
    with pytest.raises(GeosoilError, match=match), computing("tcp://127.0.0.1:9"):
        pass


@pytest.mark.parametrize(
    "address", ["localhost:8786", "tcp://localhost", "http://h:1", "tcp:// h:1", "x"]
)
def test_a_malformed_address_is_refused_with_an_example(address: str) -> None:
    with pytest.raises(InputError, match=r"as tcp://host:port"), computing(address):
        pass


def test_without_distributed_the_extra_is_named(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(compute, "find_spec", lambda _: None)
    match = r'pip install "geosoil\[cluster\]"'
    with pytest.raises(GeosoilError, match=match), computing("tcp://127.0.0.1:9"):
        pass


@pytest.mark.parametrize("nothing", [None, ""])
def test_without_an_address_threads_are_used(nothing: str | None) -> None:
    with dask.config.set(scheduler="synchronous"), computing(nothing):
        assert dask.config.get("scheduler") == "threads"
