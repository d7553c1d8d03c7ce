// Something done for each host at the same time.
#pragma once

#include <cstddef>
#include <semaphore>
#include <thread>
#include <vector>

namespace cc::deploy {

// Runs `each(item)` on a thread for each; so many at once. Blocks until all are done.
template <class Item, class Each>
void in_parallel(const std::vector<Item>& items, std::size_t at_once, const Each& each) {
  std::counting_semaphore<> places(static_cast<std::ptrdiff_t>(at_once));
  std::vector<std::jthread> threads;
  threads.reserve(items.size());
  for (const Item& item : items) {
    threads.emplace_back([&] {
      places.acquire();
      each(item);
      places.release();
    });
  }
}

}  // namespace cc::deploy
