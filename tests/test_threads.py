"""BLAS's threads are limited inside blocks, and the user's setting returns after the last."""

from threadpoolctl import threadpool_info, threadpool_limits

from repnet._threads import one_blas_thread


def threads() -> set[int]:
    return {each["num_threads"] for each in threadpool_info() if each["user_api"] == "blas"}


def test_blocks_that_overlap_restore_the_setting_after_the_last():
    with threadpool_limits(2, "blas"):
        first, second = one_blas_thread(), one_blas_thread()
        first.__enter__()
        second.__enter__()
        assert threads() == {1}
        first.__exit__(None, None, None)
        assert threads() == {1}
        second.__exit__(None, None, None)
        assert threads() == {2}
