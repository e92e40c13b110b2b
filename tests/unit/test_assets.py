import pytest

from guardduty_lens.assets import asset_folder


def test_the_checkout_has_the_folders() -> None:
    assert (asset_folder("pipelines") / "opensearch" / "index_template").is_dir()


def test_a_folder_that_is_not_shipped_is_named() -> None:
    with pytest.raises(FileNotFoundError, match="has no folder 'pipeline'"):
        asset_folder("pipeline")
