"""The lists above a dashboard that it is filtered by; filters stay when another dashboard is opened."""

from guardduty_lens.visuals.labels import label_of
from guardduty_lens.visuals.model import Dashboard, Panel
from guardduty_lens.visuals.saved_objects.context import Context, visualization
from guardduty_lens.visuals.saved_objects.objects import SavedObject


def controls(context: Context, dashboard: Dashboard) -> SavedObject:
    """Give the controls of a dashboard."""
    panel = Panel(id="controls", title="Filters", chart="markdown")
    listed, references = [], []
    for number, field in enumerate(dashboard.controls):
        name = f"control_{number}_index_pattern"
        listed.append(
            {
                "id": f"{dashboard.id}-{field}",
                "indexPatternRefName": name,
                "fieldName": context.fields.counted(dashboard.index, field),
                "parent": "",
                "label": label_of(field).capitalize(),
                "type": "list",
                "options": {
                    "type": "terms",
                    "multiselect": True,
                    "dynamicOptions": True,
                    "size": 10,
                    "order": "desc",
                },
            }
        )
        references.append(context.reference(dashboard.index, name))
    params = {"controls": listed, "updateFiltersOnChange": True, "useTimeFilter": False, "pinFilters": True}
    state = {"type": "input_control_vis", "aggs": [], "params": params}
    return visualization(context, dashboard, panel, state, references=references, indexed=False)
