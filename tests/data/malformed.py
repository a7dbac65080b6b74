"""Files that are not as they should be, each with what is said of it."""

import gzip
import json
from typing import Any, NamedTuple

GOOD: dict[str, Any] = {"id": "1", "question": {"en": "Where?", "de": "Wo?"}, "passage": {"en": "Here.", "de": "Hier."}}


def line(**changes: Any) -> bytes:
    """A line of the file, with other values; `...` leaves a key out."""
    record = {key: value for key, value in {**GOOD, **changes}.items() if value is not ...}
    return json.dumps(record, ensure_ascii=True).encode() + b"\n"


def asked(text: Any, language: str = "en") -> bytes:
    return line(question={language: text})


class Case(NamedTuple):
    """A fault, the file that has it, and a part of the message."""

    fault: str
    content: bytes
    message: str
    name: str = "x.jsonl"


def several(*texts: str) -> bytes:
    return b"".join(line(id=str(number), question={"en": text}) for number, text in enumerate(texts))


ERRORS = [
    Case("empty file", b"", "x.jsonl: there are no examples in the file"),
    Case("Latin-1", line() + b'{"id": "\xe4"}',
         "x.jsonl:2: not UTF-8: invalid continuation byte at byte 8 of the line"),
    Case("UTF-16", line().decode().encode("utf-16"), "x.jsonl:1: not UTF-8: invalid start byte at byte 0 of the line"),
    Case("a second byte order mark", b"\xef\xbb\xbf" * 2 + line(), "x.jsonl:1: not JSON: Unexpected UTF-8 BOM"),
    Case("NUL in a text", asked("a\0b"), "'question.en' has a NUL character at position 1"),
    Case("bytes that are NUL", b"\0" * 20, "x.jsonl:1: not JSON: Expecting value (column 1)"),
    Case("half a character (lone surrogate)", asked("a\ud83d"), "'question.en' has a lone surrogate"),
    Case("broken JSON", line()[:-3], "x.jsonl:1: not JSON: Expecting ',' delimiter"),
    Case("trailing comma", line()[:-2] + b",}\n", "x.jsonl:1: not JSON:"),
    Case("two objects in a line", line().strip() + line(id="2"), "x.jsonl:1: not JSON: Extra data"),
    Case("one JSON array over the file", b"[" + line().strip() + b"]", "a line must be one JSON object, found list"),
    Case("an object over several lines", b'{\n"id": "1"}\n', "x.jsonl:1: not JSON: Expecting property name"),
    Case("empty line", line() + b"\n" + line(id="2"), "x.jsonl:2: an empty line"),
    Case("brackets nested too deep", b"[" * 100_000, "x.jsonl:1: invalid JSON: maximum recursion depth exceeded"),
    Case("a number of 5,000 digits", b'{"id": ' + b"9" * 5000 + b"}", "x.jsonl:1: invalid JSON: Exceeds the limit"),
    Case("unquoted control character", b'{"id": "a\tb"}', "x.jsonl:1: not JSON: Invalid control character at"),
    Case("single quotes", b"{'id': '1'}", "x.jsonl:1: not JSON: Expecting property name enclosed in double quotes"),
    Case("missing key", line(passage=...), "the example lacks the key 'passage'; keys are id, question, passage"),
    Case("unknown key", line(answer="x"), "the example has the unknown key 'answer'; keys are id, question, passage"),
    Case("a key twice in an object", b'{"id": "1", "id": "2"}', "the key 'id' occurs twice in one object"),
    Case("an id twice", line() + line(), "x.jsonl:2: id '1' was used before, in line 1"),
    Case("id that is a fraction", line(id=7.5), "'id' is float, not a string"),
    Case("empty id", line(id=" "), "'id' is empty"),
    Case("text that is a number", asked(7), "'question.en' is int, not a string"),
    Case("NaN", asked(float("nan")), "'question.en' is float, not a string"),
    Case("null for a text", asked(None), "'question.en' is NoneType, not a string"),
    Case("list of texts", asked(["a", "b"]), "'question.en' is list, not a string"),
    Case("text in an object", asked({"text": "a"}), "'question.en' is dict, not a string"),
    Case("empty text", asked(""), "'question.en' is empty"),
    Case("white space for a text", asked("\u3000\t "), "'question.en' is empty"),
    Case("text without language", line(question="Where?"),
         "'question' must be a non-empty object of texts by language"),
    Case("question in no language", line(question={}),
         "'question' must be a non-empty object of texts by language, got {}"),
    Case("passage in no language", line(passage={}),
         "'passage' must be a non-empty object of texts by language, got {}"),
    Case("malformed language code", asked("a", "en us"),
         "language code 'en us' must be made of letters, digits, '-' and '_'"),
    Case("negatives that are not a list", line(negatives={"en": "a"}), "'negatives' must be a list, got dict"),
    Case("negative without language", line(negatives=["a"]), "'negatives[0]' must be a non-empty object of texts"),
    Case("empty negative", line(negatives=[{"en": "a"}, {}]), "'negatives[1]' must be a non-empty object of texts"),
    Case("more than 64 languages", line(passage={f"x{n}": "a" for n in range(64)}), "66 languages; at most 64"),
    Case("gzip cut off", gzip.compress(line())[:-8], "x.jsonl.gz:1: the compressed file is damaged", "x.jsonl.gz"),
    Case("not gzip, though called so", line(), "x.jsonl.gz: the compressed file is damaged: Not a gzip", "x.jsonl.gz"),
]  # fmt: skip

WARNINGS = [
    Case("right-to-left or other direction mark", asked("a\u200fb"),
         "1 x direction mark, first: example '1', question"),
    Case("control character", asked("a\x07b"), "1 x control character, first: example '1', question in en: '\\x07'"),
    Case("replacement character", asked("a\ufffdb"), "1 x replacement character (text that was decoded wrongly)"),
    Case("byte order mark inside a text", asked("a\ufeffb"), "1 x byte order mark inside"),
    Case("markup", asked("<b>a</b> &amp; b"), "1 x markup, first: example '1', question in en: '<b>' at position 0"),
    Case("text that breaks off", asked("Where is..."), "1 x ellipsis at the end (cut off?)"),
    Case("huge line", asked("a" * 60_000),
         "1 x more than 50,000 characters, first: example '1', question in en: 60,000"),
    Case("accents apart from their letters", asked("e\u0301"), "1 x not in Unicode's composed form (NFC)"),
    Case("two scripts under one language code", several("Where?", "When?", "Где это?"),
         "1 x another script than the language's other texts, first: example '2', question in en: 'Где это?', is CYR"),
    Case("unknown language code", asked("a", "zzz9"), "1 x language code that CLDR does not know, first: example '1'"),
    Case("question and passage the same", asked("Here."), "1 x question that equals its passage, first: example '1'"),
    Case("negative that is the passage", line(negatives=[{"en": "Here. "}]),
         "1 x hard negative that equals the passage"),
    Case("example twice under two ids", line() + line(id="2"),
         "1 x example that repeats an earlier one, first: example '2'"),
]  # fmt: skip

FINE = [
    Case("byte order mark at the start", b"\xef\xbb\xbf" + line(), ""),
    Case("CRLF line ends", line().replace(b"\n", b"\r\n"), ""),
    Case("no line end at the end", line().strip(), ""),
    Case("compressed", gzip.compress(line()), "", "x.jsonl.gz"),
    Case("sides in different languages", line(question={"de": "Wo?"}, passage={"zh-Hans": "这里"}), ""),
]
