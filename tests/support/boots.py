"""Environments that the service refuses to boot with, and the nearest ones that it accepts."""

from __future__ import annotations

import base64
import hashlib


def encoded(key: bytes) -> str:
    return base64.urlsafe_b64encode(key).rstrip(b"=").decode()


def key(name: str) -> str:
    return encoded(hashlib.sha256(name.encode()).digest())


KEY, OLDER_KEY = key("newest"), key("older")
PASSWORD = "geheim-4711"  # noqa: S105 (to be looked for in what is printed)
POSTGRESQL = f"postgresql://user:{PASSWORD}@db.example.org/badges"
PRODUCTION = {"PUBLIC_ORIGIN": "https://id.example.org", "SECRET_KEYS": KEY}
DEVELOPMENT = {"APP_ENV": "development"}
LONGEST_HOST = f"{'a' * 63}.{'b' * 63}.{'c' * 63}.{'d' * 57}.org"
SECRETS = (KEY, OLDER_KEY, PASSWORD, key("short")[:20])

# Name: environment (beside the smallest production one), variable to blame, distinguishing words.
WRONG_BOOTS: dict[str, tuple[dict[str, str], str, str]] = {
    "environment_is_unknown": ({"APP_ENV": "staging"}, "APP_ENV", "unknown value"),
    "origin_is_missing": ({"PUBLIC_ORIGIN": ""}, "PUBLIC_ORIGIN", "missing"),
    "origin_is_plain_http": (
        {"PUBLIC_ORIGIN": "http://id.example.org"},
        "PUBLIC_ORIGIN",
        "plain http",
    ),
    "origin_is_plain_http_on_localhost_in_production": (
        {"PUBLIC_ORIGIN": "http://localhost:8000"},
        "PUBLIC_ORIGIN",
        "only development",
    ),
    "origin_is_plain_http_elsewhere_in_development": (
        {**DEVELOPMENT, "PUBLIC_ORIGIN": "http://id.example.org"},
        "PUBLIC_ORIGIN",
        "localhost alone",
    ),
    "origin_has_no_scheme": ({"PUBLIC_ORIGIN": "id.example.org"}, "PUBLIC_ORIGIN", "begin with"),
    "origin_has_another_scheme": (
        {"PUBLIC_ORIGIN": "ftp://id.example.org"},
        "PUBLIC_ORIGIN",
        "begin with",
    ),
    "origin_ends_with_a_slash": (
        {"PUBLIC_ORIGIN": "https://id.example.org/"},
        "PUBLIC_ORIGIN",
        "slash at the end",
    ),
    "origin_has_a_path": (
        {"PUBLIC_ORIGIN": "https://id.example.org/app"},
        "PUBLIC_ORIGIN",
        "path",
    ),
    "origin_has_a_query": (
        {"PUBLIC_ORIGIN": "https://id.example.org?x"},
        "PUBLIC_ORIGIN",
        "query",
    ),
    "origin_has_a_fragment": (
        {"PUBLIC_ORIGIN": "https://id.example.org#x"},
        "PUBLIC_ORIGIN",
        "fragment",
    ),
    "origin_has_a_password": (
        {"PUBLIC_ORIGIN": f"https://user:{PASSWORD}@id.example.org"},
        "PUBLIC_ORIGIN",
        "user name or password",
    ),
    "origin_is_in_upper_case": (
        {"PUBLIC_ORIGIN": "https://ID.example.org"},
        "PUBLIC_ORIGIN",
        "lower-case",
    ),
    "origin_has_two_values": (
        {"PUBLIC_ORIGIN": "https://id.example.org,https://b.example.org"},
        "PUBLIC_ORIGIN",
        "path",
    ),
    "origin_ends_with_junk": (
        {"PUBLIC_ORIGIN": "https://id.example.org;"},
        "PUBLIC_ORIGIN",
        "no valid host name",
    ),
    "origin_ends_with_a_blank": (
        {"PUBLIC_ORIGIN": "https://id.example.org "},
        "PUBLIC_ORIGIN",
        "blank",
    ),
    "origin_has_a_line_break": (
        {"PUBLIC_ORIGIN": "https://id.example\n.org"},
        "PUBLIC_ORIGIN",
        "cannot be printed",
    ),
    "origin_is_an_ip_address": (
        {"PUBLIC_ORIGIN": "https://192.0.2.7"},
        "PUBLIC_ORIGIN",
        "IP address",
    ),
    "origin_is_an_ip_address_in_development": (
        {**DEVELOPMENT, "PUBLIC_ORIGIN": "http://127.0.0.1:8000"},
        "PUBLIC_ORIGIN",
        "IP address",
    ),
    "origin_is_an_ipv6_address": (
        {"PUBLIC_ORIGIN": "https://[2001:db8::1]:8443"},
        "PUBLIC_ORIGIN",
        "IP address",
    ),
    "origin_spells_the_default_port": (
        {"PUBLIC_ORIGIN": "https://id.example.org:443"},
        "PUBLIC_ORIGIN",
        "default port",
    ),
    "origin_is_a_scheme_alone": (
        {"PUBLIC_ORIGIN": "https://"},
        "PUBLIC_ORIGIN",
        "no valid host name",
    ),
    "origin_is_a_bare_ipv6_address": (
        {"PUBLIC_ORIGIN": "https://2001:db8::1"},
        "PUBLIC_ORIGIN",
        "no valid host name",
    ),
    "origin_ends_in_a_number": (
        {"PUBLIC_ORIGIN": "https://id.example.7"},
        "PUBLIC_ORIGIN",
        "no valid host name",
    ),
    "origin_is_too_long": (
        {"PUBLIC_ORIGIN": f"https://a{LONGEST_HOST}"},
        "PUBLIC_ORIGIN",
        "no valid host name",
    ),
    "origin_has_a_label_too_long": (
        {"PUBLIC_ORIGIN": f"https://{'a' * 64}.example.org"},
        "PUBLIC_ORIGIN",
        "no valid host name",
    ),
    "origin_has_a_port_out_of_range": (
        {"PUBLIC_ORIGIN": "https://id.example.org:65536"},
        "PUBLIC_ORIGIN",
        "no valid port",
    ),
    "origin_has_an_empty_port": (
        {"PUBLIC_ORIGIN": "https://id.example.org:"},
        "PUBLIC_ORIGIN",
        "no valid port",
    ),
    "rp_id_is_no_suffix": ({"RP_ID": "example.com"}, "RP_ID", "does not fit PUBLIC_ORIGIN"),
    "rp_id_is_a_suffix_within_a_label": (
        {"RP_ID": "ample.org"},
        "RP_ID",
        "does not fit PUBLIC_ORIGIN",
    ),
    "rp_id_is_a_subdomain": (
        {"RP_ID": "www.id.example.org"},
        "RP_ID",
        "does not fit PUBLIC_ORIGIN",
    ),
    "rp_id_is_a_public_suffix": ({"RP_ID": "org"}, "RP_ID", "single label"),
    "rp_id_is_an_ip_address": ({"RP_ID": "192.0.2.7"}, "RP_ID", "IP address"),
    "rp_id_is_an_origin": ({"RP_ID": "https://id.example.org"}, "RP_ID", "bare host name"),
    "rp_name_is_too_long": ({"RP_NAME": "é" * 32 + "e"}, "RP_NAME", "too long"),
    "keys_are_missing": ({"SECRET_KEYS": ""}, "SECRET_KEYS", "missing"),
    "keys_are_commas_alone": ({"SECRET_KEYS": ", ,"}, "SECRET_KEYS", "no key"),
    "key_is_short": ({"SECRET_KEYS": key("short")[:20]}, "SECRET_KEYS", "exactly 32 bytes"),
    "key_is_long": ({"SECRET_KEYS": f"{KEY}{KEY}"}, "SECRET_KEYS", "exactly 32 bytes"),
    "second_key_is_short": (
        {"SECRET_KEYS": f"{KEY},{key('short')[:20]}"},
        "SECRET_KEYS",
        "exactly 32 bytes",
    ),
    "key_has_a_length_no_encoding_has": (
        {"SECRET_KEYS": f"{KEY}AA"},
        "SECRET_KEYS",
        "exactly 32 bytes",
    ),
    "key_is_plain_base64": ({"SECRET_KEYS": f"+{KEY[1:]}"}, "SECRET_KEYS", "not base64url"),
    "key_is_a_sentence": (
        {"SECRET_KEYS": "correct.horse.battery.staple"},
        "SECRET_KEYS",
        "not base64url",
    ),
    "key_is_not_canonical": (
        {"SECRET_KEYS": f"{KEY[:-1]}{'B' if KEY[-1] == 'A' else chr(ord(KEY[-1]) + 1)}"},
        "SECRET_KEYS",
        "not canonical",
    ),
    "key_is_repeated": (
        {"SECRET_KEYS": f"{KEY},{OLDER_KEY} {KEY}"},
        "SECRET_KEYS",
        "same key twice",
    ),
    "key_is_repeated_with_padding": (
        {"SECRET_KEYS": f"{KEY},{KEY}="},
        "SECRET_KEYS",
        "same key twice",
    ),
    "key_is_all_zero": ({"SECRET_KEYS": "A" * 43}, "SECRET_KEYS", "not random"),
    "key_is_one_byte_repeated": (
        {"SECRET_KEYS": encoded(b"\xa7" * 32)},
        "SECRET_KEYS",
        "not random",
    ),
    "key_has_few_different_bytes": (
        {"SECRET_KEYS": f"{KEY} {encoded(bytes(range(15)) * 2 + bytes(2))}"},
        "SECRET_KEYS",
        "not random",
    ),
    "key_and_its_file_are_both_set": (
        {"SECRET_KEYS_FILE": "keys"},
        "SECRET_KEYS_FILE",
        "both set",
    ),
    "database_and_its_file_are_both_set": (
        {"DATABASE_URL": POSTGRESQL, "DATABASE_URL_FILE": "url"},
        "DATABASE_URL_FILE",
        "both set",
    ),
    "database_type_is_unknown": ({"DB_TYPE": "mysql"}, "DB_TYPE", "sqlite or postgresql"),
    "database_type_holds_a_pasted_url": ({"DB_TYPE": POSTGRESQL}, "DB_TYPE", "unknown value"),
    "sqlite_beside_a_postgresql_url": (
        {"DB_TYPE": "sqlite", "DATABASE_URL": POSTGRESQL},
        "DB_TYPE",
        "contradicts DATABASE_URL",
    ),
    "postgresql_beside_a_sqlite_url": (
        {"DB_TYPE": "postgresql", "DATABASE_URL": "sqlite:///badges.db"},
        "DB_TYPE",
        "contradicts DATABASE_URL",
    ),
    "postgresql_without_a_url": ({"DB_TYPE": "postgresql"}, "DATABASE_URL", "missing"),
    "database_is_unsupported": (
        {"DATABASE_URL": f"mysql://user:{PASSWORD}@db/badges"},
        "DATABASE_URL",
        "no supported database",
    ),
    "driver_is_unsupported": (
        {"DATABASE_URL": f"postgresql+psycopg2://user:{PASSWORD}@db/badges"},
        "DATABASE_URL",
        "no supported database",
    ),
    "database_has_no_scheme": (
        {"DATABASE_URL": f"user:{PASSWORD}@db/badges"},
        "DATABASE_URL",
        "no supported database",
    ),
    "database_has_no_name": (
        {"DATABASE_URL": f"postgresql://user:{PASSWORD}@db.example.org"},
        "DATABASE_URL",
        "names no database",
    ),
    "database_port_is_no_number": (
        {"DATABASE_URL": f"postgresql://user:{PASSWORD}@db:port/badges"},
        "DATABASE_URL",
        "cannot be parsed",
    ),
    "database_port_is_out_of_range": (
        {"DATABASE_URL": f"postgresql://user:{PASSWORD}@db:65536/badges"},
        "DATABASE_URL",
        "out of range",
    ),
    "database_password_has_an_at_sign": (
        {"DATABASE_URL": f"postgresql://user:pass@{PASSWORD}@db/badges"},
        "DATABASE_URL",
        "cannot be parsed",
    ),
    "database_password_has_an_at_sign_and_a_slash": (
        {"DATABASE_URL": f"postgresql://user:pass@word/{PASSWORD}@db/badges"},
        "DATABASE_URL",
        "cannot be parsed",
    ),
    "password_of_several_databases_has_an_at_sign": (
        {"DATABASE_URL": f"postgresql://user:pass@{PASSWORD}@one:5432,two:5432/badges"},
        "DATABASE_URL",
        "cannot be parsed",
    ),
    "second_database_port_is_out_of_range": (
        {"DATABASE_URL": f"postgresql://user:{PASSWORD}@one:5432,two:65536/badges"},
        "DATABASE_URL",
        "out of range",
    ),
    "database_port_is_zero": (
        {"DATABASE_URL": f"postgresql://user:{PASSWORD}@db:0/badges"},
        "DATABASE_URL",
        "out of range",
    ),
    "database_port_among_the_parameters_is_no_number": (
        {"DATABASE_URL": f"postgresql://user:{PASSWORD}@db/badges?port=abc"},
        "DATABASE_URL",
        "cannot be parsed",
    ),
    "several_databases_have_no_name": (
        {"DATABASE_URL": f"postgresql://user:{PASSWORD}@one:5432,two:5432"},
        "DATABASE_URL",
        "names no database",
    ),
    "database_has_an_unprintable_character": (
        {"DATABASE_URL": f"postgresql://user:{PASSWORD}\x7f@db/badges"},
        "DATABASE_URL",
        "blank",
    ),
    "database_has_a_blank": (
        {"DATABASE_URL": f"postgresql://user:{PASSWORD} @db/badges"},
        "DATABASE_URL",
        "blank",
    ),
    "file_beside_a_postgresql_url": (
        {"SQLITE_FILE": "badges.db", "DATABASE_URL": POSTGRESQL},
        "SQLITE_FILE",
        "beside a PostgreSQL database",
    ),
    "file_beside_a_sqlite_url": (
        {"SQLITE_FILE": "badges.db", "DATABASE_URL": "sqlite:///badges.db"},
        "SQLITE_FILE",
        "unset one",
    ),
    "file_is_in_a_missing_folder": (
        {"SQLITE_FILE": "nowhere/badges.db"},
        "SQLITE_FILE",
        "folder that does not exist",
    ),
    "sqlite_url_is_in_a_missing_folder": (
        {"DATABASE_URL": "sqlite:///nowhere/badges.db"},
        "DATABASE_URL",
        "folder that does not exist",
    ),
    "file_is_a_directory": ({"SQLITE_FILE": "."}, "SQLITE_FILE", "directory"),
    "file_is_memory": ({"SQLITE_FILE": ":memory:"}, "SQLITE_FILE", "in memory"),
    "sqlite_url_is_memory": ({"DATABASE_URL": "sqlite://"}, "DATABASE_URL", "names no SQLite file"),
    "file_is_an_address": ({"SQLITE_FILE": "file:badges.db"}, "SQLITE_FILE", "file: addresses"),
    "file_ends_with_a_slash": ({"SQLITE_FILE": "badges.db/"}, "SQLITE_FILE", "directory"),
    "sqlite_url_has_no_path": (
        {"DATABASE_URL": "sqlite:///"},
        "DATABASE_URL",
        "names no SQLite file",
    ),
    "sqlite_url_has_an_unprintable_character": (
        {"DATABASE_URL": "sqlite:///badges\x7f.db"},
        "DATABASE_URL",
        "names no SQLite file",
    ),
    "sqlite_url_has_a_host": (
        {"DATABASE_URL": "sqlite://host/badges.db"},
        "DATABASE_URL",
        "names no SQLite file",
    ),
    "sqlite_url_has_parameters": (
        {"DATABASE_URL": "sqlite:///badges.db?mode=ro"},
        "DATABASE_URL",
        "names no SQLite file",
    ),
    "migration_url_beside_sqlite": (
        {"MIGRATION_DATABASE_URL": POSTGRESQL},
        "MIGRATION_DATABASE_URL",
        "PostgreSQL alone",
    ),
    "migration_url_is_sqlite": (
        {"DATABASE_URL": POSTGRESQL, "MIGRATION_DATABASE_URL": "sqlite:///badges.db"},
        "MIGRATION_DATABASE_URL",
        "PostgreSQL alone",
    ),
    "migration_url_has_no_name": (
        {"DATABASE_URL": POSTGRESQL, "MIGRATION_DATABASE_URL": f"postgres://a:{PASSWORD}@db"},
        "MIGRATION_DATABASE_URL",
        "names no database",
    ),
    "number_has_a_trailing_blank": ({"PORT": "12 "}, "PORT", "blank"),
    "number_has_an_exponent": ({"PORT": "1e3"}, "PORT", "not a whole number"),
    "number_is_in_another_script": ({"THREADS": "٣"}, "THREADS", "not a whole number"),
    "number_is_negative": ({"TRUSTED_PROXIES": "-1"}, "TRUSTED_PROXIES", "not a whole number"),
    "number_has_a_plus": ({"WEB_CONCURRENCY": "+2"}, "WEB_CONCURRENCY", "not a whole number"),
    "number_has_an_underscore": ({"PORT": "8_000"}, "PORT", "not a whole number"),
    "number_has_a_leading_zero": ({"PORT": "08000"}, "PORT", "not a whole number"),
    "number_is_a_fraction": ({"SLOW_QUERY_MS": "1.5"}, "SLOW_QUERY_MS", "not a whole number"),
    "number_is_huge": ({"PORT": "9" * 5000}, "PORT", "not a whole number"),
    "port_is_zero": ({"PORT": "0"}, "PORT", "out of range"),
    "step_up_is_zero": ({"STEP_UP_SECONDS": "0"}, "STEP_UP_SECONDS", "out of range"),
    "idle_is_longer_than_absolute": (
        {"SESSION_IDLE_SECONDS": "3601", "SESSION_ABSOLUTE_SECONDS": "3600"},
        "SESSION_IDLE_SECONDS",
        "longer than SESSION_ABSOLUTE_SECONDS",
    ),
    "administrators_idle_is_longer_than_absolute": (
        {"ADMIN_SESSION_IDLE_SECONDS": "43201"},
        "ADMIN_SESSION_IDLE_SECONDS",
        "longer than ADMIN_SESSION_ABSOLUTE_SECONDS",
    ),
    "yes_or_no_is_neither": ({"LOG_QUERIES": "2"}, "LOG_QUERIES", "neither yes nor no"),
    "yes_or_no_is_a_word": ({"PUBLIC_DOCS": "enabled"}, "PUBLIC_DOCS", "neither yes nor no"),
    "registration_is_unknown": ({"REGISTRATION": "Open"}, "REGISTRATION", "open or invite"),
    "log_level_is_unknown": ({"LOG_LEVEL": "VERBOSE"}, "LOG_LEVEL", "unknown value"),
    "log_format_is_unknown": ({"LOG_FORMAT": "xml"}, "LOG_FORMAT", "json or text"),
    "bind_has_a_port": ({"BIND": "127.0.0.1:9000"}, "BIND", "belongs into PORT"),
    "bind_is_a_name": ({"BIND": "id.example.org"}, "BIND", "IP address"),
    "bind_has_half_a_bracket": ({"BIND": "[::1"}, "BIND", "IP address"),
    "bind_has_the_other_half": ({"BIND": "::1]"}, "BIND", "IP address"),
    "bind_is_a_folder": ({"BIND": "unix:/tmp/"}, "BIND", "absolute path to a file"),
    "bind_is_a_relative_socket": ({"BIND": "unix:gunicorn.sock"}, "BIND", "absolute path"),
    "bind_is_a_socket_in_a_missing_folder": (
        {"BIND": "unix:/nowhere/gunicorn.sock"},
        "BIND",
        "folder that does not exist",
    ),
    "bind_is_a_socket_with_a_long_path": ({"BIND": f"unix:/tmp/{'x' * 103}"}, "BIND", "too long"),
}

# Each stands beside a refusal above and differs from it by what made that one wrong.
GOOD_BOOTS: dict[str, dict[str, str]] = {
    "smallest_production": {},
    "origin_with_a_port": {"PUBLIC_ORIGIN": "https://id.example.org:8443"},
    "origin_with_the_highest_port": {"PUBLIC_ORIGIN": "https://id.example.org:65535"},
    "origin_with_the_other_default_port": {"PUBLIC_ORIGIN": "https://id.example.org:80"},
    "origin_of_the_longest_name": {"PUBLIC_ORIGIN": f"https://{LONGEST_HOST}"},
    "origin_in_another_script": {"PUBLIC_ORIGIN": "https://xn--bcher-kva.example"},
    "origin_like_an_ip_address": {"PUBLIC_ORIGIN": "https://192.0.2.7.example.org"},
    "https_on_localhost": {"PUBLIC_ORIGIN": "https://localhost"},
    "plain_http_on_localhost_in_development": {
        **DEVELOPMENT,
        "PUBLIC_ORIGIN": "http://localhost:9000",
    },
    "https_elsewhere_in_development": {**DEVELOPMENT, "PUBLIC_ORIGIN": "https://id.example.test"},
    "rp_id_is_the_host": {"RP_ID": "id.example.org"},
    "rp_id_is_the_parent_domain": {"RP_ID": "example.org"},
    "rp_id_is_localhost": {"PUBLIC_ORIGIN": "https://localhost", "RP_ID": "localhost"},
    "rp_name_of_64_bytes": {"RP_NAME": "é" * 32},
    "example_key_in_development": {**DEVELOPMENT, "SECRET_KEYS": f"{KEY} {'A' * 43}"},
    "key_with_different_bytes_enough": {"SECRET_KEYS": f"{KEY} {encoded(bytes(range(16)) * 2)}"},
    "two_keys": {"SECRET_KEYS": f"{KEY}, {OLDER_KEY}"},
    "keys_on_lines": {"SECRET_KEYS": f"{KEY}\n{OLDER_KEY}\n"},
    "key_with_padding": {"SECRET_KEYS": f"{KEY}="},
    "empty_file_variable_beside_the_key": {"SECRET_KEYS_FILE": ""},
    "sqlite_said_twice": {"DB_TYPE": "sqlite", "DATABASE_URL": "sqlite:///badges.db"},
    "postgresql_said_twice": {"DB_TYPE": "postgresql", "DATABASE_URL": POSTGRESQL},
    "empty_database_variables": {"DB_TYPE": "", "DATABASE_URL": "", "SQLITE_FILE": ""},
    "database_port": {"DATABASE_URL": f"postgresql://user:{PASSWORD}@db:65535/badges"},
    "database_socket": {"DATABASE_URL": "postgresql:///badges?host=/run/postgresql"},
    "database_password_with_an_at_sign": {"DATABASE_URL": "postgresql://user:a%40b@db/badges"},
    "database_password_with_a_blank": {"DATABASE_URL": "postgresql://user:a%20b@db/badges"},
    "migration_url": {"DATABASE_URL": POSTGRESQL, "MIGRATION_DATABASE_URL": "postgres://a@db/b"},
    "file_in_the_folder": {"SQLITE_FILE": "badges.db"},
    "lowest_port": {"PORT": "1"},
    "highest_port": {"PORT": "65535"},
    "empty_number": {"PORT": ""},
    "no_proxies": {"TRUSTED_PROXIES": "0"},
    "shortest_step_up": {"STEP_UP_SECONDS": "1"},
    "idle_as_long_as_absolute": {
        "SESSION_IDLE_SECONDS": "3600",
        "SESSION_ABSOLUTE_SECONDS": "3600",
    },
    "registration_open": {"REGISTRATION": "open"},
    "log_level": {"LOG_LEVEL": "WARNING"},
    "log_format": {"LOG_FORMAT": "text"},
    "bind_everywhere": {"BIND": "0.0.0.0"},  # noqa: S104 (a value to parse)
    "bind_socket_with_the_longest_path": {"BIND": f"unix:/tmp/{'x' * 102}"},
    "bind_name": {"BIND": "localhost"},
    "bind_socket": {"BIND": "unix:/tmp/gunicorn.sock"},
}
