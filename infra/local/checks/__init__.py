"""What is checked of `template.yaml` beyond what cfn-lint sees: each rule yields a sentence for each fault."""

from . import api, calls, events, functions, observation, references, secrets, stores, systems

RULES = [
    *functions.RULES, *calls.RULES, *events.RULES, *stores.RULES, *secrets.RULES, *api.RULES,
    *observation.RULES, *references.RULES, *systems.RULES,
]
