"""A map of countries, joined on ISO codes: with shapes of the cluster, or of a public map service."""

from typing import Any

from guardduty_lens.visuals.model import Dashboard, Panel
from guardduty_lens.visuals.saved_objects.aggregations import aggregations
from guardduty_lens.visuals.saved_objects.context import Context, visualization
from guardduty_lens.visuals.saved_objects.objects import SavedObject

_JOIN = {"type": "id", "name": "iso2", "description": "ISO 3166-1 alpha-2 Code"}
_FIELDS = [
    _JOIN,
    {"type": "id", "name": "iso3", "description": "ISO 3166-1 alpha-3 Code"},
    {"type": "id", "name": "name", "description": "Name"},
]


def region_map(context: Context, dashboard: Dashboard, panel: Panel) -> SavedObject:
    """Give a region map."""
    params: dict[str, Any] = {
        "legendPosition": "bottomright",
        "addTooltip": True,
        "colorSchema": "Blues",
        "emsHotLink": "",
        "isDisplayWarning": True,
        # A layer of tiles would be looked up on the internet.
        "wms": {
            "enabled": False,
            "url": "",
            "options": {
                "version": "",
                "layers": "",
                "format": "image/png",
                "transparent": True,
                "attribution": "",
                "styles": "",
            },
        },
        "mapZoom": 2,
        "mapCenter": [20, 0],
        "outlineWeight": 1,
        "showAllShapes": True,
    }
    params |= _stock_layer() if context.stock_map else _own_layer(context.names.countries_map)
    aggs = aggregations(context, dashboard, panel, ["segment"])
    return visualization(context, dashboard, panel, {"type": "region_map", "aggs": aggs, "params": params})


def _own_layer(index: str) -> dict[str, Any]:
    layer = {
        "attribution": "Made with Natural Earth",
        "created_at": "2026-01-01T00:00:00.000000",
        "format": {"type": "geojson"},
        "fields": _FIELDS,
        "id": index,
        "name": index,
        "origin": "user-upload",
        "isEMS": False,
        "layerId": f"user-upload.{index}",
    }
    return {
        "layerChosenByUser": "custom",
        "selectedCustomLayer": layer,
        "selectedCustomJoinField": _JOIN,
        "selectedLayer": None,
        "selectedJoinField": _JOIN,
    }


def _stock_layer() -> dict[str, Any]:
    layer = {
        "name": "World Countries",
        "origin": "elastic_maps_service",
        "id": "world_countries",
        "attribution": "Made with Natural Earth",
        "created_at": "2017-04-26T17:12:15.978370",
        "format": {"type": "geojson"},
        "fields": _FIELDS,
        "layerId": "elastic_maps_service.World Countries",
        "isEMS": True,
    }
    return {"layerChosenByUser": "default", "selectedLayer": layer, "selectedJoinField": _JOIN}
