"""How many rounds there are."""

ROUNDS, MOST_TIMES = 8, 3  # at every size; so many times as many where it is close
