"""What a question says, found without weights: names of the run, conditions on cases, words that nothing stands for.

The rule of this folder: every content word of a question is used, is one of the closed list that carries nothing, or is
named. A word that could be a condition and is not understood is never left out of an answer in silence.
"""
