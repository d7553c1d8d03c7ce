#include "consensus/strangers.h"

#include <algorithm>
#include <utility>

#include "consensus/say.h"

namespace cc::consensus {
namespace {

constexpr std::chrono::minutes kPause{1};
constexpr std::size_t kMostAddresses = 1024;  // remembered

}  // namespace

Strangers::Place::Place(Strangers& all, Wire& wire, std::string address)
    : all_(all), wire_(wire), address_(std::move(address)) {
  if (all_.places_.size() >= kMost) all_.make_room();
  place_ = all_.places_.insert(all_.places_.end(), this);
}

Strangers::Place::~Place() {
  all_.places_.erase(place_);
}

// Whoever is closed leaves when he notices.
void Strangers::make_room() {
  std::map<std::string_view, std::size_t> counts;
  for (const Place* place : places_) {
    if (place->wire_.is_open()) ++counts[place->address_];
  }
  const auto most = std::ranges::max_element(counts, {}, [](const auto& count) { return count.second; });
  if (most == counts.end()) return;
  const auto oldest = std::ranges::find_if(
      places_, [&](const Place* place) { return place->wire_.is_open() && place->address_ == most->first; });
  complain((*oldest)->address_, "too many connect at once without proving to know the secret", Mono::clock::now());
  (*oldest)->wire_.close();
}

void Strangers::complain(const std::string& address, std::string_view why, Mono now) {
  if (complained_.size() >= kMostAddresses)
    std::erase_if(complained_, [&](const auto& before) { return now - before.second >= kPause; });
  const auto before = complained_.find(address);
  if (before == complained_.end() ? complained_.size() >= kMostAddresses : now - before->second < kPause) return;
  complained_[address] = now;
  log.warn("closed a connection to the port for other nodes", {{"address", address}, {"reason", why}});
}

}  // namespace cc::consensus
