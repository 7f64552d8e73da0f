#include "platform/thread_choice.h"

namespace thalweg {

namespace {

constexpr double WORTH_A_THREAD = 150e3;  // nanoseconds of work for each
constexpr int FIRST_STEPS = 50;           // before anything is tried: a run may be short
// A turn's first steps don't count: threads wake up, or spin for a while yet.
constexpr double SETTLING = 100e3;
constexpr double TURN = 250e3;
constexpr int ENOUGH = 3;     // turns of five
constexpr double REST = 100;  // times what was spent on duels
// What a challenger's step may take of the champion's: more threads must be worth it.
constexpr double MORE = 0.95;
constexpr double FEWER = 1.02;

}  // namespace

ThreadChoice::ThreadChoice(int most, double work) {
  for (int threads = 1; threads < most; threads *= 2) rungs_.push_back(threads);
  rungs_.push_back(most);
  while (champion_ + 1 < rungs_.size() && rungs_[champion_ + 1] * WORTH_A_THREAD <= work)
    ++champion_;
}

void ThreadChoice::took(double time) {
  if (is_resting_) {
    rest_ -= time;
    if (++steps_ >= FIRST_STEPS && rest_ <= 0) begin_round();
    return;
  }
  round_ += time;
  if (settling_ > 0) {
    settling_ -= time;
    return;
  }
  timed_ += time;
  ++steps_;
  if (timed_ >= TURN) end_turn(timed_ / steps_);
}

// Fewer threads are tried first, and if they aren't better, more.
void ThreadChoice::begin_round() {
  is_resting_ = goes_up_ = has_new_champion_ = false;
  round_ = 0;
  next_duel();
}

void ThreadChoice::next_duel() {
  if (!goes_up_ && champion_ == 0 && !has_new_champion_) goes_up_ = true;
  const bool is_last = goes_up_ ? champion_ + 1 == rungs_.size() : champion_ == 0;
  if (is_last) return rest();
  challenger_ = goes_up_ ? champion_ + 1 : champion_ - 1;
  wins_ = losses_ = 0;
  begin_turn(false);
}

void ThreadChoice::begin_turn(bool is_challenging) {
  is_challenging_ = is_challenging;
  settling_ = SETTLING;
  timed_ = 0;
  steps_ = 0;
}

void ThreadChoice::end_turn(double step) {
  if (!is_challenging_) {
    champion_step_ = step;
    return begin_turn(true);
  }
  ++(wins(step / champion_step_) ? wins_ : losses_);
  begin_turn(false);
  if (wins_ == ENOUGH) {
    champion_ = challenger_;
    has_new_champion_ = true;
    next_duel();
  } else if (losses_ == ENOUGH) {
    if (goes_up_ || has_new_champion_) return rest();
    goes_up_ = true;
    next_duel();
  }
}

bool ThreadChoice::wins(double ratio) const {
  return ratio < (challenger_ > champion_ ? MORE : FEWER);
}

void ThreadChoice::rest() {
  is_resting_ = true;
  is_challenging_ = false;
  steps_ = FIRST_STEPS;
  rest_ = REST * round_;
}

}  // namespace thalweg
