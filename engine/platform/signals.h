// Which threads the process's signals come to.
#pragma once

#include <functional>

namespace thalweg {

// Calls it while no signal comes to this thread, nor ever to one that starts meanwhile.
void without_signals(const std::function<void()>& call);

}  // namespace thalweg
