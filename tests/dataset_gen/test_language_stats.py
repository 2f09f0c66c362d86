"""Variety of texts, and replies that their words give away."""

from __future__ import annotations

from robo_refer_data.language_stats import prior, variety


def test_variety_counts_texts_openings_and_words():
    found = variety(["is the mug red?", "is the mug red?", "is the mug blue?", "how many?"])
    assert (found.n, found.texts, found.openings, found.words) == (4, 3, 2, 7)
    assert found.words_per_text == 3.5


def test_a_reply_that_follows_from_the_words_is_guessed():
    telling = [(n, "is it big?" if n % 3 else "is it small?", "yes" if n % 3 else "no")
               for n in range(60)]  # fmt: skip
    found = prior(telling)
    assert found is not None
    assert found.accuracy.estimate == 1.0
    assert found.commonest < 0.8


def test_a_coin_is_not_guessed():
    coin = [(n, f"is it {'ab'[n // 2 % 2]}?", "yes" if n // 4 % 2 else "no") for n in range(400)]
    found = prior(coin)
    assert found is not None
    assert found.accuracy.low < 0.5 < found.accuracy.high + 0.01


def test_too_few_scenes_give_no_prior():
    assert prior([(0, "is it?", "yes")]) is None
