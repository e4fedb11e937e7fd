"""Names of the months as tables write them, in the languages of Europe that use Latin letters.

Polish and Croatian share "listopad" for different months, so neither has its name for November or October here.
"""

_YEARS = (
    "january february march april may june july august september october november december",
    "jan feb mar apr may jun jul aug sep oct nov dec",
    "januar februar märz april mai juni juli august september oktober november dezember",
    "jänner feber maerz - - - - - - - - -",
    "jan feb mär apr mai jun jul aug sep okt nov dez",
    "- - mrz - - - - - - - - -",
    "janvier février mars avril mai juin juillet août septembre octobre novembre décembre",
    "janv févr mars avr mai juin juil août sept oct nov déc",
    "- fevrier - - - - - aout - - - decembre",
    "- fevr - - - - - - - - - dec",
    "enero febrero marzo abril mayo junio julio agosto septiembre octubre noviembre diciembre",
    "ene feb mar abr may jun jul ago sep oct nov dic",
    "gennaio febbraio marzo aprile maggio giugno luglio agosto settembre ottobre novembre dicembre",
    "gen feb mar apr mag giu lug ago set ott nov dic",
    "januari februari maart april mei juni juli augustus september oktober november december",
    "jan feb mrt apr mei jun jul aug sep okt nov dec",
    "janeiro fevereiro março abril maio junho julho agosto setembro outubro novembro dezembro",
    "jan fev mar abr mai jun jul ago set out nov dez",
    "- - marts april maj juni juli augusti september oktober november december",
    "- - - - maj - - - sept - - des",
    "stycznia lutego marca kwietnia maja czerwca lipca sierpnia września października - grudnia",
    "sty lut mar kwi maj cze lip sie wrz paź - gru",
    "tammikuuta helmikuuta maaliskuuta huhtikuuta toukokuuta kesäkuuta heinäkuuta elokuuta syyskuuta lokakuuta "
    "marraskuuta joulukuuta",
)
MONTHS: dict[str, int] = {name: number for year in _YEARS for number, name in enumerate(year.split(), 1) if name != "-"}
"""The number of a month by its name or short name in small letters."""


def month_of(word: str) -> int:
    """The number of a month by its name, with or without a dot; 0 where no language has it.

    >>> month_of("août"), month_of("Okt."), month_of("listopad")
    (8, 10, 0)
    """
    return MONTHS.get(word.strip(". ").lower(), 0)
