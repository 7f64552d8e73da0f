"""Which texts say that nothing is known."""

MISSING_TEXTS = (
    *("", "NA", "N/A", "n/a", "#N/A", "<NA>"),
    *("NaN", "nan", "NAN", "null", "NULL", "None", "?"),
)
"""In a file, which has no other way to say it."""

FRAME_TEXTS = ("", "N/A", "n/a", "#N/A", "<NA>", "?")
"""In a frame, whose own missing cells tell None from "None"."""

NUMBER_TEXTS = frozenset(
    (
        *(text.lower() for text in MISSING_TEXTS),
        *("-", "--", "---", "–", "—", "−", ".", "..", "...", "…", "*", "**"),
        *("/", "\\n", "(na)", "(n/a)", "(null)", "(none)", "(blank)", "(unknown)"),
        *("na", "n.a.", "n.a", "n/a.", "n.d.", "nd", "nil", "none", "unknown", "unk"),
        *("missing", "blank", "undefined", "not available", "not applicable"),
        *("not known", "not reported", "not recorded", "no data", "nodata", "no value"),
        *("(missing)", "[null]", "not specified", "not given", "not provided"),
        *("#na", "#n/a n/a", "#null!", "#div/0!", "#value!", "#ref!", "#name?"),
        *("#num!", "#spill!", "#calc!", "-nan", "+nan", "nan(ind)", "-nan(ind)"),
        *("1.#ind", "-1.#ind", "1.#qnan", "-1.#qnan", "tbd", "tba", "k.a.", "n/d"),
    )
)
"""Among numbers and moments, in lower case, beside a file's: none can be one."""
