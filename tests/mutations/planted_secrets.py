"""Defects by which a secret stays in clear."""

from tests.mutations.mutation import Mutation

_PLACES = "tests/abuse/test_planted_secrets.py::test_no_planted_secret_stands_in_any_place"
_ANSWERS = "tests/abuse/test_planted_secrets.py::test_no_answer_tells_a_secret_again"
_ON_SQLITE, _ON_POSTGRESQL = f"{_PLACES}[sqlite]", f"{_PLACES}[postgresql]"

MUTATIONS: tuple[Mutation, ...] = (
    Mutation(
        name="a session's token is stored beside its hash",
        file="app/services/sessions.py",
        old="        device=device.label,\n",
        new="        device=device.label,\n        bound_key=token.encode(),\n",
        caught_by=(_ON_SQLITE,),
    ),
    Mutation(
        name="recovery codes are encoded instead of hashed",
        file="app/services/tokens.py",
        old="    return hash_secret(code.strip().upper().translate(_MISREAD))\n",
        new="    return code.strip().upper().translate(_MISREAD).encode('utf-16').hex().encode()\n",
        caught_by=(_ON_POSTGRESQL,),
    ),
    Mutation(
        name="an invitation waits in clear until its ceremony ends",
        file="app/services/registration.py",
        old='                "user_handle": _to_text(user_handle),\n',
        new='                "user_handle": _to_text(user_handle), "invitation": invitation,\n',
        caught_by=(_ON_SQLITE,),
    ),
    Mutation(
        name="the bodies of requests are logged at DEBUG",
        file="app/blueprints/bodies.py",
        old="    return validate(schema, parse_json(data))\n",
        new=(
            "    import logging\n"
            '    logging.getLogger(__name__).debug("body: %r", data)\n'
            "    return validate(schema, parse_json(data))\n"
        ),
        caught_by=(_ON_SQLITE,),
    ),
    Mutation(
        name="the whole address is logged, its query included",
        file="app/blueprints/baseline.py",
        old="        path=_LONG_WORD.sub(_hide_secret, request.path),\n",
        new=(
            "        path=_LONG_WORD.sub(_hide_secret, request.path),\n"
            "        query=request.query_string.decode(),\n"
        ),
        caught_by=(_ON_SQLITE,),
    ),
    Mutation(
        name="a path is logged with what somebody pasted there",
        file="app/blueprints/baseline.py",
        old="        path=_LONG_WORD.sub(_hide_secret, request.path),\n",
        new="        path=request.path,\n",
        caught_by=(_ON_SQLITE,),
    ),
    Mutation(
        name="documents among a query's parameters are logged",
        file="app/query_log.py",
        old="""    if text.startswith(("{", "[")):\n""",
        new="""    if text.startswith("["):\n""",
        caught_by=(_ON_SQLITE,),
    ),
    Mutation(
        name="a damaged cookie is logged with its value",
        file="app/blueprints/cookies.py",
        old='        raise CookieRefused(reason="malformed session cookie")\n',
        new='        raise CookieRefused(reason=f"malformed session cookie {token}")\n',
        caught_by=(_ON_SQLITE,),
    ),
    Mutation(
        name="tracebacks hold the values of their variables",
        file="app/logs.py",
        old="        structlog.processors.format_exc_info,\n",
        new="        structlog.processors.dict_tracebacks,\n",
        caught_by=(_ON_POSTGRESQL,),
    ),
    Mutation(
        name="gunicorn quotes a request that it cannot read",
        file="gunicorn.conf.py",
        old="            if isinstance(getattr(exc, name, None), str | bytes):\n",
        new="            if isinstance(getattr(exc, name, None), bytearray):\n",
        caught_by=(_ON_SQLITE,),
    ),
    Mutation(
        name="gunicorn says at DEBUG what it is sent",
        file="gunicorn.conf.py",
        old="""loglevel = _settings.log.level.lower().replace("debug", "info")\n""",
        new="loglevel = _settings.log.level.lower()\n",
        caught_by=(_ON_SQLITE,),
    ),
    Mutation(
        name="a password behind an @ is shown as a host",
        file="app/config/postgresql_url.py",
        old="""    if rest.partition("?")[0].count("@") > 1:\n""",
        new="    if not rest:\n",
        caught_by=(_ON_SQLITE,),
    ),
    Mutation(
        name="a crash tells the client its cause",
        file="app/problems.py",
        old='"Something went wrong here. It has been noted."',
        new="str(error)",
        caught_by=(f"{_ANSWERS}[postgresql]",),
    ),
    Mutation(
        name="a refused field is told with its value",
        file="app/blueprints/bodies.py",
        old=(
            "        faults = error.errors("
            "include_input=False, include_url=False, include_context=False)\n"
        ),
        new=(
            "        faults = error.errors(include_url=False, include_context=False)\n"
            "        for fault in faults:\n"
            "            fault['msg'] += f\": {fault['input']}\"\n"
        ),
        caught_by=(f"{_ANSWERS}[sqlite]",),
    ),
)
