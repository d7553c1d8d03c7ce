#include "consensus/conversation.h"

#include <algorithm>
#include <utility>

#include <boost/asio/redirect_error.hpp>

namespace cc::consensus {
namespace {

constexpr std::size_t kOneWrite = 256u << 10;
constexpr std::chrono::seconds kFarewell{2};  // for the other to take the reason for which it is left

}  // namespace

Conversation::Conversation(asio::io_context& io, std::unique_ptr<SecureChannel> channel, Introduction said,
                           Owner& owner, Outboxes& outboxes, std::shared_ptr<Outboxes::Outbox> outbox)
    : channel_(std::move(channel)),
      said_(encode(said)),
      owner_(owner),
      outboxes_(outboxes),
      outbox_(std::move(outbox)),
      something_to_say_(io, Mono::max()) {}

// --- hearing ---

Task<> Conversation::listen(std::shared_ptr<Conversation> self) {
  Result<> going_on;
  while (going_on && self->channel_->wire().is_open()) {
    auto record = co_await self->channel_->next();
    going_on = record ? self->take(*std::move(record)) : std::unexpected(std::move(record).error());
  }
  if (!going_on) self->end(going_on.error());
  self->end();
}

Result<> Conversation::take(Record record) {
  if (refusing_ || ended_) return {};  // reads on so that the other gets to know why
  switch (record.type) {
    case RecordType::message:
      owner_.received(*this, std::move(record.content));
      return {};
    case RecordType::introduction: {
      TRY(Introduction other, decode_introduction(record.content));
      if (other.greeting.node != node() || other.instance != this->other().instance)
        return fail(Code::corruption, "it became another node");
      channel_->other() = std::move(other);
      if (auto fine = owner_.introduced(*this); !fine) refuse(fine.error());
      return {};
    }
    case RecordType::refusal: {
      TRY(const Error why, decode_error(record.content));
      was_refused_ = true;
      owner_.refused(*this, why);
      return fail(why);
    }
    case RecordType::ping:
      say(RecordType::pong, {});
      return {};
    case RecordType::pong:
      return {};
    default:
      return fail(Code::corruption, "it speaks of files where messages are expected");
  }
}

// --- saying ---

Task<> Conversation::speak(std::shared_ptr<Conversation> self) {
  std::vector<std::string> messages;
  while (!self->ended_) {
    const bool last = self->refusing_;
    if (self->outbox_ && !last) self->outboxes_.take(*self->outbox_, messages);
    if (self->to_say_.empty() && messages.empty()) {
      boost::system::error_code ignored;
      co_await self->something_to_say_.async_wait(asio::redirect_error(asio::use_awaitable, ignored));
      continue;
    }
    if (auto sent = co_await self->send(messages); !sent) {
      self->end(sent.error());
      co_return;
    }
    if (last) {
      self->channel_->wire().finish(kFarewell);
      co_return;
    }
  }
}

Task<Result<>> Conversation::send(std::vector<std::string>& messages) {
  seal(std::exchange(to_say_, {}));
  for (std::string& message : messages) {
    std::string header;
    append_record_header(RecordType::message, message.size(), header);
    seal(header);
    for (std::string_view rest = message; !rest.empty();) {
      const std::string_view part = rest.substr(0, kOneWrite);
      seal(part);
      rest.remove_prefix(part.size());
      if (sealed_.size() >= kOneWrite) CO_TRYV(co_await write());
    }
    sent_bytes_ += message.size();
    ++sent_messages_;
    std::string().swap(message);
  }
  messages.clear();
  if (!piece_.empty()) channel_->sealer().seal(piece_, sealed_);
  piece_.clear();
  co_return co_await write();
}

// In whole pieces; what does not fill one stays in piece_.
void Conversation::seal(std::string_view bytes) {
  while (!bytes.empty()) {
    const std::string_view part = bytes.substr(0, kLargestPiece - piece_.size());
    bytes.remove_prefix(part.size());
    if (part.size() == kLargestPiece) {
      channel_->sealer().seal(part, sealed_);
      continue;
    }
    piece_ += part;
    if (piece_.size() < kLargestPiece) continue;
    channel_->sealer().seal(piece_, sealed_);
    piece_.clear();
  }
}

Task<Result<>> Conversation::write() {
  auto written = co_await channel_->wire().write(sealed_);
  sealed_.clear();
  if (outbox_) outboxes_.sent(*outbox_, std::exchange(sent_bytes_, 0), std::exchange(sent_messages_, 0));
  co_return written;
}

void Conversation::say(RecordType type, std::string_view content) {
  append_record(type, content, to_say_);
  wake();
}

void Conversation::wake() {
  something_to_say_.cancel();
}

void Conversation::introduce(const Introduction& self) {
  std::string text = encode(self);
  if (text == said_ || refusing_ || ended_) return;
  said_ = std::move(text);
  say(RecordType::introduction, said_);
}

void Conversation::ping() {
  if (to_say_.empty() && !refusing_ && !ended_) say(RecordType::ping, {});
}

void Conversation::refuse(const Error& why) {
  if (refusing_ || ended_) return;
  say(RecordType::refusal, encode(why));
  refusing_ = was_refused_ = true;
  if (why_.empty()) why_ = why.message;
}

void Conversation::end(const Error& why) {
  if (why_.empty()) why_ = why.message;
  end();
}

void Conversation::end() {
  ended_ = true;
  channel_->wire().close();
  wake();
}

void Conversation::end_if_silent_for(std::chrono::milliseconds longest, Mono now) {
  const bool silent = now - heard() >= longest;
  if (silent && silent_) end({Code::timeout, "nothing was heard of it"});
  silent_ = silent;
}

}  // namespace cc::consensus
