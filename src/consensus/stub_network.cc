#include "consensus/network.h"
namespace cc::consensus {
Result<std::unique_ptr<Network>> listen_on_tcp(NetworkOptions, Greeting, Network::Receiver&) {
  return fail(Code::internal, "not yet");
}
}  // namespace cc::consensus
