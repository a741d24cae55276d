"""Secrets: made by AWS, strong, and never written in the template."""

import string
from collections.abc import Iterator

from .lookup import of_type

# 43 letters and digits hold 256 bits.
SHORTEST = 43


def secrets_are_generated_and_strong(template: dict) -> Iterator[str]:
    for name, secret in of_type(template, "AWS::SecretsManager::Secret").items():
        generated = secret.get("GenerateSecretString", {})
        if "SecretString" in secret or generated.get("PasswordLength", 0) < SHORTEST:
            yield f"{name} is not a generated secret of at least {SHORTEST} characters"


def secrets_fit_into_a_header(template: dict) -> Iterator[str]:
    for name, secret in of_type(template, "AWS::SecretsManager::Secret").items():
        generated = secret.get("GenerateSecretString", {})
        left = set(string.punctuation) - set(generated.get("ExcludeCharacters", ""))
        if left or not generated.get("ExcludePunctuation"):
            yield f"{name} may have characters that a header, a shell or a JSON text would spoil"


RULES = [secrets_are_generated_and_strong, secrets_fit_into_a_header]
