// What a node asks of the leader on behalf of its clients, and the answer. Bytes on the network say first what they
// are.
#pragma once

#include <chrono>
#include <cstdint>
#include <string>
#include <string_view>
#include <variant>

#include "base/result.h"
#include "consensus/log.h"
#include "consensus/message.h"

namespace cc::consensus {

struct Request {
  enum class Kind : std::uint8_t { propose = 1, barrier, change };
  Kind kind = Kind::propose;
  std::uint64_t id = 0;  // the asking node's own
  Log::Patience patience{};
  std::string_view command;  // propose
  Change change_to;          // change
};

struct Reply {
  std::uint64_t id = 0;
  Result<std::string> outcome;  // what apply() returned
  Index index = 0;              // the asking node answers when it has delivered this
};

std::string encode(const Message& message);
std::string encode(const Request& request);
std::string encode(const Reply& reply);

struct Received {
  std::shared_ptr<const std::string> bytes;  // that a request's command points into
  std::variant<Message, Request, Reply> what;
};
// corruption when it is none of them.
Result<Received> decode(std::string bytes);

}  // namespace cc::consensus
