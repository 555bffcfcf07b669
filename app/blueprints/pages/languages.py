"""The languages that a profile offers, each in its own words (RFC 5646 tags)."""

_LANGUAGES = (
    ("cs", "Čeština"),
    ("da", "Dansk"),
    ("de", "Deutsch"),
    ("en", "English"),
    ("es", "Español"),
    ("fr", "Français"),
    ("it", "Italiano"),
    ("hu", "Magyar"),
    ("nl", "Nederlands"),
    ("nb", "Norsk bokmål"),
    ("pl", "Polski"),
    ("pt", "Português"),
    ("pt-BR", "Português (Brasil)"),
    ("fi", "Suomi"),
    ("sv", "Svenska"),
    ("tr", "Türkçe"),
    ("el", "Ελληνικά"),
    ("uk", "Українська"),
    ("he", "עברית"),
    ("ar", "العربية"),
    ("hi", "हिन्दी"),
    ("ja", "日本語"),
    ("ko", "한국어"),
    ("zh-Hans", "简体中文"),
    ("zh-Hant", "繁體中文"),
)


def languages_for(locale: str | None) -> list[tuple[str, str]]:
    """Give the choices as (tag, label), among them whatever the person has chosen already."""
    choices = [("", "No preference"), *_LANGUAGES]
    if locale is not None and locale not in dict(choices):
        choices.append((locale, locale))
    return choices
