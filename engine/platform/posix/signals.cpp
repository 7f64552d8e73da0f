#include "platform/signals.h"

#include <pthread.h>
#include <signal.h>

namespace thalweg {

namespace {

class BlockSignals {
 public:
  BlockSignals() {
    sigset_t all;
    sigfillset(&all);
    pthread_sigmask(SIG_SETMASK, &all, &before_);
  }
  ~BlockSignals() { pthread_sigmask(SIG_SETMASK, &before_, nullptr); }

 private:
  sigset_t before_;
};

}  // namespace

void without_signals(const std::function<void()>& call) {
  const BlockSignals block;
  call();
}

}  // namespace thalweg
