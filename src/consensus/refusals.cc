#include "consensus/refusals.h"

#include <algorithm>
#include <utility>

namespace cc::consensus {

void Refusals::listen_to(std::vector<Peer> others, NodeId self) {
  std::erase_if(others, [self](const Peer& each) { return each.id == self; });
  others_ = std::move(others);
}

void Refusals::refused(const Peer& by, const Error& why) {
  if (why.code == Code::conflict && std::ranges::find(others_, by) != others_.end()) ++times_[by.id];
}

bool Refusals::most_refuse(bool has_no_log) const {
  const auto sure = std::ranges::count_if(others_, [this](const Peer& each) {
    const auto found = times_.find(each.id);
    return found != times_.end() && found->second >= 2;
  });
  return 2 * static_cast<std::size_t>(sure) > others_.size() + (has_no_log ? 0 : 1);
}

}  // namespace cc::consensus
