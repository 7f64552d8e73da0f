// Windows has a thread of its own for Ctrl-C; no other thread is interrupted.
#include "platform/signals.h"

namespace thalweg {

void without_signals(const std::function<void()>& call) { call(); }

}  // namespace thalweg
