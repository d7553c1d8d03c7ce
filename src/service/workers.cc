#include "service/workers.h"

namespace cc::service {

void Workers::join() {
  for (auto& threads : threads_)
    threads.join();
}

}  // namespace cc::service
