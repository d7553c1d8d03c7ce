// Those who have connected and not yet proven that they know the secret. Belongs to the network's thread.
//
// There are only so many at a time. One more takes the place of the oldest of those from the address that has most:
// who floods the node from one address keeps nobody out but himself.
#pragma once

#include <list>
#include <map>
#include <string>
#include <string_view>

#include "base/clock.h"
#include "consensus/wire.h"

namespace cc::consensus {

class Strangers {
 public:
  static constexpr std::size_t kMost = 64;

  // One of them, until this dies.
  class Place {
   public:
    Place(Strangers& all, Wire& wire, std::string address);
    ~Place();
    Place(const Place&) = delete;
    Place& operator=(const Place&) = delete;

   private:
    friend class Strangers;
    Strangers& all_;
    Wire& wire_;
    const std::string address_;
    std::list<Place*>::iterator place_;
  };

  // Warns in the log, once a minute for each address.
  void complain(const std::string& address, std::string_view why, Mono now);

 private:
  void make_room();

  std::list<Place*> places_;
  std::map<std::string, Mono> complained_;
};

}  // namespace cc::consensus
