"""Which money is, was and is only legal tender where."""

from babel.core import get_global

from hybrid_ir.sources.cldr.relations.answer_table import Answers


def currency() -> Answers:
    """Territory -> legal tender of today."""
    return {
        territory: tuple(code for code, _, end, tender in rows if tender and end is None)
        for territory, rows in get_global("territory_currencies").items()
    }


def former_currency() -> Answers:
    """Territory -> the legal tender that was given up last."""
    answers = {}
    for territory, rows in get_global("territory_currencies").items():
        today = {code for code, _, end, _ in rows if end is None}
        ended = [(end, code) for code, _, end, tender in rows if tender and end and code not in today]
        if ended:
            answers[territory] = (max(ended)[1],)
    return answers


def currency_territory() -> Answers:
    """Currency -> the one territory where it is legal tender."""
    users: dict[str, list[str]] = {}
    for territory, tender in currency().items():
        for code in tender:
            users.setdefault(code, []).append(territory)
    return {code: tuple(territories) for code, territories in users.items() if len(territories) == 1}
