// How many threads a run takes: by its estimated work at first, then by its time.
#pragma once

#include <vector>

namespace thalweg {

// Which number of threads is fastest, learned from the time that steps take: the one that
// is best so far (the champion) meets the next smaller or larger (the challenger) in turns
// of a fraction of a millisecond, best of five, since any one turn may be disturbed. Then
// it has a rest in which all of that comes to less than 1%, and is challenged again: the
// machine may have more or less to do by then. It knows no clock but what it is told.
class ThreadChoice {
 public:
  // Starts from as many as have enough of the work to be woken for it. That is in
  // nanoseconds on one thread, of a step of training or another run.
  ThreadChoice(int most, double work);

  int most() const { return rungs_.back(); }

  // Of the next step.
  int threads() const { return rungs_[is_challenging_ ? challenger_ : champion_]; }

  // The step took so many nanoseconds.
  void took(double time);

 private:
  void begin_round();
  void next_duel();
  void begin_turn(bool is_challenging);
  void end_turn(double step);
  void rest();
  bool wins(double ratio) const;

  std::vector<int> rungs_;  // 1, 2, 4, … and the most
  std::size_t champion_ = 0, challenger_ = 0;
  bool is_resting_ = true, is_challenging_ = false;
  bool goes_up_ = false, has_new_champion_ = false;  // in this round of duels
  int wins_ = 0, losses_ = 0;                        // of the challenger
  double champion_step_ = 0;                         // what its last turn's steps took
  double settling_ = 0, timed_ = 0;                  // of a turn
  int steps_ = 0;                                    // timed, or since the start
  double round_ = 0, rest_ = 0;                      // how long it took, is to be
};

}  // namespace thalweg
