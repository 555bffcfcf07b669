"""Environments with identity providers, wrong ones and the nearest ones that are right."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import pytest

from app.config import ProviderSettings, load_settings
from app.errors import SettingsError
from tests.support.boots import PRODUCTION

SECRET = "client-secret-4711"  # noqa: S105 (to be looked for in what is printed)
TENANT = "0f8fad5b-d9cb-469f-a165-70867728950e"
MICROSOFT_ISSUER = f"https://login.microsoftonline.com/{TENANT}/v2.0"
GITHUB = {"OAUTH_GITHUB_CLIENT_ID": "hub", "OAUTH_GITHUB_CLIENT_SECRET": SECRET}
SCHOOL = {
    "OAUTH_SCHOOL_CLIENT_ID": "badges",
    "OAUTH_SCHOOL_CLIENT_SECRET": SECRET,
    "OAUTH_SCHOOL_ISSUER": "https://login.school.example/",
}
MICROSOFT = {
    "OAUTH_MICROSOFT_CLIENT_ID": "badges",
    "OAUTH_MICROSOFT_CLIENT_SECRET": SECRET,
    "OAUTH_MICROSOFT_ISSUER": MICROSOFT_ISSUER,
}


def named(name: str, environ: Mapping[str, str]) -> dict[str, str]:
    """Return the same variables for the provider of another name."""
    return {
        variable.replace("_SCHOOL_", f"_{name.upper()}_").replace(
            "_GITHUB_", f"_{name.upper()}_"
        ): value
        for variable, value in environ.items()
    }


def read(folder: Path, environ: Mapping[str, str]) -> tuple[ProviderSettings, ...]:
    return load_settings({**PRODUCTION, **environ}, folder=folder).service.providers


def refusal(folder: Path, environ: Mapping[str, str]) -> str:
    """Return the sentence of the refusal, which repeats no value."""
    with pytest.raises(SettingsError) as refused:
        read(folder, environ)

    sentence = str(refused.value)
    assert sentence.endswith(".")
    assert "\n" not in sentence
    assert SECRET not in sentence
    assert refused.value.__cause__ is None
    return sentence


def school_with(variable: str, value: str) -> dict[str, str]:
    return {**SCHOOL, f"OAUTH_SCHOOL_{variable}": value}


# Name: environment, variable to blame, distinguishing words.
WRONG_PROVIDERS: dict[str, tuple[dict[str, str], str, str]] = {
    "names_are_commas_alone": ({"OAUTH_PROVIDERS": ","}, "PROVIDERS", "must hold names"),
    "name_in_upper_case": ({**GITHUB, "OAUTH_PROVIDERS": "GitHub"}, "PROVIDERS", "lower-case"),
    "name_with_a_hyphen": ({"OAUTH_PROVIDERS": "my-school"}, "PROVIDERS", "must hold names"),
    "name_begins_with_a_digit": ({"OAUTH_PROVIDERS": "1st"}, "PROVIDERS", "must hold names"),
    "name_is_too_long": ({"OAUTH_PROVIDERS": "a" * 32}, "PROVIDERS", "at most 31"),
    "name_is_a_word_of_paths": ({"OAUTH_PROVIDERS": "accounts"}, "PROVIDERS", "none of accounts"),
    "name_is_the_other_word_of_paths": (
        {"OAUTH_PROVIDERS": "providers"},
        "PROVIDERS",
        "and providers",
    ),
    "name_is_repeated": ({**GITHUB, "OAUTH_PROVIDERS": "github github"}, "PROVIDERS", "twice"),
    "name_is_misspelt": ({**GITHUB, "OAUTH_PROVIDERS": "github,githb"}, "PROVIDERS", "number 2"),
    "variable_of_an_impossible_name": ({"OAUTH_1_CLIENT_ID": "x"}, "1_CLIENT_ID", "possible"),
    "variable_in_lower_case": ({"OAUTH_hub_CLIENT_ID": "x"}, "hub_CLIENT_ID", "upper case"),
    "variable_of_a_word_of_paths": (
        {"OAUTH_ACCOUNTS_CLIENT_SECRET": SECRET},
        "ACCOUNTS_CLIENT_SECRET",
        "possible",
    ),
    "nothing_is_set": ({"OAUTH_PROVIDERS": "github"}, "GITHUB_CLIENT_ID", "missing"),
    "id_is_missing": ({"OAUTH_GITHUB_CLIENT_SECRET": SECRET}, "GITHUB_CLIENT_ID", "missing"),
    "id_beside_a_secret_file_is_missing": (
        {"OAUTH_GITHUB_CLIENT_SECRET_FILE": "x"},
        "GITHUB_CLIENT_ID",
        "missing",
    ),
    "secret_is_missing": ({"OAUTH_GITHUB_CLIENT_ID": "x"}, "GITHUB_CLIENT_SECRET", "missing"),
    "secret_is_empty": (
        {**GITHUB, "OAUTH_GITHUB_CLIENT_SECRET": ""},
        "GITHUB_CLIENT_SECRET",
        "missing",
    ),
    "secret_and_its_file": (
        {**GITHUB, "OAUTH_GITHUB_CLIENT_SECRET_FILE": "x"},
        "GITHUB_CLIENT_SECRET",
        "OAUTH_GITHUB_CLIENT_SECRET_FILE are both set",
    ),
    "secret_file_is_missing": (
        {"OAUTH_GITHUB_CLIENT_ID": "x", "OAUTH_GITHUB_CLIENT_SECRET_FILE": "x"},
        "GITHUB_CLIENT_SECRET_FILE",
        "does not exist",
    ),
    "secret_with_a_line_break": (
        {**GITHUB, "OAUTH_GITHUB_CLIENT_SECRET": f"{SECRET}\n{SECRET}"},
        "GITHUB_CLIENT_SECRET",
        "copy it",
    ),
    "secret_with_a_blank": (
        {**GITHUB, "OAUTH_GITHUB_CLIENT_SECRET": f"{SECRET} "},
        "GITHUB_CLIENT_SECRET",
        "copy it",
    ),
    "id_in_another_script": (school_with("CLIENT_ID", "badgés"), "SCHOOL_CLIENT_ID", "copy it"),
    "issuer_is_missing": (school_with("ISSUER", ""), "SCHOOL_ISSUER", "missing"),
    "issuer_of_microsoft_is_missing": (
        {**MICROSOFT, "OAUTH_MICROSOFT_ISSUER": ""},
        "MICROSOFT_ISSUER",
        "<tenant id>",
    ),
    "variable_is_misspelt": (
        {"OAUTH_GITHUB_CLIENT_ID": "x", "OAUTH_GITHUB_CLIENT_SECRT": SECRET},
        "GITHUB_CLIENT_SECRT",
        "write OAUTH_GITHUB_CLIENT_SECRET,",
    ),
    "variable_does_not_exist": (school_with("XYZ", "x"), "SCHOOL_XYZ", "unknown"),
    "variable_of_no_longer_name": (school_with("B_ISSUER", "x"), "SCHOOL_B_ISSUER", "unknown"),
    "file_of_no_secret": (school_with("ISSUER_FILE", "x"), "SCHOOL_ISSUER_FILE", "unknown"),
    "kind_is_unknown": (school_with("KIND", "saml"), "SCHOOL_KIND", "unknown value"),
    "icon_is_unknown": (school_with("ICON", "horse"), "SCHOOL_ICON", "or school or"),
    "label_is_too_long": (school_with("LABEL", "é" * 41), "SCHOOL_LABEL", "too long"),
    "label_with_a_control": (school_with("LABEL", "a\u202eb"), "SCHOOL_LABEL", "cannot be printed"),
    "scopes_are_commas_alone": (
        school_with("SCOPES", ","),
        "SCHOOL_SCOPES",
        "must hold the scopes",
    ),
    "scopes_in_quotation_marks": (
        school_with("SCOPES", '"openid email"'),
        "SCHOOL_SCOPES",
        "quotation marks",
    ),
    "scopes_lack_openid": (school_with("SCOPES", "profile email"), "SCHOOL_SCOPES", "lacks openid"),
    "tokens_are_kept_perhaps": (
        school_with("STORE_TOKENS", "perhaps"),
        "SCHOOL_STORE_TOKENS",
        "yes nor",
    ),
    "mails_at_an_openid_provider": (
        school_with("EMAILS_ENDPOINT", "https://a.example"),
        "SCHOOL_EMAILS_ENDPOINT",
        "GitHub alone",
    ),
    "keys_at_github": (
        {**GITHUB, "OAUTH_GITHUB_JWKS_URI": "https://a.example"},
        "GITHUB_JWKS_URI",
        "OpenID providers alone",
    ),
    "issuer_has_a_query": (school_with("ISSUER", "https://a.example/?x"), "SCHOOL_ISSUER", "query"),
    "one_issuer_has_two_names": (
        {**SCHOOL, **named("zoo", SCHOOL)},
        "ZOO_ISSUER",
        "of another provider",
    ),
    "one_issuer_in_two_spellings": (
        {
            **SCHOOL,
            **named("zoo", SCHOOL),
            "OAUTH_ZOO_ISSUER": "https://LOGIN.school.example:443",
        },
        "ZOO_ISSUER",
        "of another provider",
    ),
    "one_issuer_of_this_machine_in_two_spellings": (
        {
            **school_with("ISSUER", "http://localhost"),
            **named("zoo", SCHOOL),
            "OAUTH_ZOO_ISSUER": "http://localhost:80/",
            "APP_ENV": "development",
        },
        "ZOO_ISSUER",
        "of another provider",
    ),
    "two_names_for_github": (
        {**GITHUB, **named("hub", GITHUB), "OAUTH_HUB_KIND": "github"},
        "HUB_ISSUER",
        "of another provider",
    ),
    "microsoft_as_any_openid_provider": (
        school_with("ISSUER", MICROSOFT_ISSUER),
        "SCHOOL_ISSUER",
        "OAUTH_SCHOOL_KIND=microsoft",
    ),
}

RIGHT_PROVIDERS: dict[str, dict[str, str]] = {
    "longest_name": {**named("a" * 31, SCHOOL), "OAUTH_PROVIDERS": "a" * 31},
    "name_with_digits": {**named("a_1", SCHOOL), "OAUTH_PROVIDERS": "a_1"},
    "longest_label": school_with("LABEL", "é" * 40),
    "secret_with_a_blank_inside": {**SCHOOL, "OAUTH_SCHOOL_CLIENT_SECRET": "a b"},
    "empty_variable_that_does_not_exist": school_with("XYZ", ""),
    "github_without_mails": {**GITHUB, "OAUTH_GITHUB_SCOPES": "read:user"},
    "github_in_full": {**GITHUB, "OAUTH_GITHUB_ISSUER": "https://github.com"},
    "gitlab_of_ones_own": {**named("gitlab", GITHUB), "OAUTH_GITLAB_ISSUER": "https://a.example"},
    "common_elsewhere": school_with("ISSUER", "https://login.school.example/common"),
    "microsoft_under_another_name": {
        **school_with("ISSUER", MICROSOFT_ISSUER),
        "OAUTH_SCHOOL_KIND": "microsoft",
    },
    "ready_made_name_of_another_kind": {
        **named("google", SCHOOL),
        "OAUTH_GOOGLE_KIND": "openid",
    },
}
