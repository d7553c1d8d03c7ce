#include "consensus/secure_channel.h"

#include <cstring>
#include <utility>

#include <fmt/format.h>

namespace cc::consensus {
namespace {

using Channel = Result<std::unique_ptr<SecureChannel>>;

// Holds a whole piece, and enough of them to be worth a call of the system's.
constexpr std::size_t kBuffer = 256u << 10;
static_assert(kBuffer >= 2 * kLargestSealed);

// For the other to take what it is told at the end: that its certificate is not trusted, which version runs here.
constexpr std::chrono::milliseconds kFarewell{500};

}  // namespace

SecureChannel::SecureChannel(std::unique_ptr<Wire> wire, const Handshake& handshake)
    : wire_(std::move(wire)),
      purpose_(handshake.purpose()),
      proof_(handshake.proof()),
      sealer_(handshake.sending_key()),
      opener_(handshake.receiving_key()),
      heard_(Mono::clock::now()),
      buffer_(std::make_unique_for_overwrite<char[]>(kBuffer)) {}

Task<Channel> SecureChannel::dial(std::unique_ptr<Wire> wire, std::string secret, Purpose purpose, Introduction self) {
  const auto hinted = [](Error error) -> Channel {
    if (error.code == Code::unavailable) error.message += "; do both nodes use TLS, or neither?";
    return std::unexpected(std::move(error));
  };
  if (auto shaken = co_await wire->shake_hands(Side::dialer); !shaken) co_return hinted(std::move(shaken).error());
  Handshake handshake(Side::dialer, std::move(secret), purpose);
  CO_TRYV(co_await wire->write(handshake.hello()));
  std::string hello;
  if (auto read = co_await wire->read(hello, Handshake::kPrefixSize); !read) co_return hinted(std::move(read).error());
  const auto prefix = Handshake::look_at(hello);
  if (prefix == Handshake::Prefix::foreign) co_return fail(Code::unavailable, "what answers there is no node");
  if (prefix == Handshake::Prefix::other_version) {
    co_return fail(Code::invalid_argument,
                   fmt::format("it speaks version {} of the protocol between nodes, this one version {}: run the same "
                               "release of config-center on both",
                               Handshake::version_in(hello), kProtocolVersion));
  }
  CO_TRYV(co_await wire->read(hello, Handshake::kHelloSize - Handshake::kPrefixSize));
  if (!handshake.take(hello)) co_return fail(Code::unavailable, "it answered with something else than was asked");

  auto channel = std::make_unique<SecureChannel>(std::move(wire), handshake);
  std::string record, out = std::exchange(channel->proof_, {});
  append_record(RecordType::introduction, encode(self), record);
  channel->sealer_.seal(record, out);
  CO_TRYV(co_await channel->wire_->write(out));
  std::string proof;
  auto proven = co_await channel->wire_->read(proof, Handshake::kProofSize);
  if (!proven && proven.error().code == Code::timeout) co_return std::unexpected(std::move(proven).error());
  if (!proven || !handshake.proves(proof)) {
    co_return fail(Code::permission_denied,
                   "it does not accept this node's proof to know the secret: it has another raft.secret; give all "
                   "nodes of the group the same");
  }
  CO_TRY(const Record first, co_await channel->next());
  if (first.type != RecordType::introduction) co_return fail(Code::unavailable, "it does not introduce itself");
  CO_TRY(channel->other_, decode_introduction(first.content));
  co_return channel;
}

Task<Channel> SecureChannel::accept(std::unique_ptr<Wire> wire, std::string secret) {
  if (auto shaken = co_await wire->shake_hands(Side::acceptor); !shaken) {
    if (shaken.error().code == Code::permission_denied) co_await wire->linger(kFarewell);
    co_return std::unexpected(std::move(shaken).error());
  }
  std::string hello;
  CO_TRYV(co_await wire->read(hello, Handshake::kPrefixSize));
  const auto prefix = Handshake::look_at(hello);
  if (prefix == Handshake::Prefix::foreign) co_return fail(Code::permission_denied, "it is no node of config-center");
  Handshake handshake(Side::acceptor, std::move(secret));
  if (prefix == Handshake::Prefix::other_version) {
    if (co_await wire->write(handshake.hello())) co_await wire->linger(kFarewell);
    co_return fail(Code::invalid_argument,
                   fmt::format("it speaks version {} of the protocol between nodes, this one version {}",
                               Handshake::version_in(hello), kProtocolVersion));
  }
  CO_TRYV(co_await wire->read(hello, Handshake::kHelloSize - Handshake::kPrefixSize));
  if (!handshake.take(hello)) co_return fail(Code::permission_denied, "it says nothing that a node would");
  CO_TRYV(co_await wire->write(handshake.hello()));
  std::string proof;
  CO_TRYV(co_await wire->read(proof, Handshake::kProofSize));
  if (!handshake.proves(proof)) {
    co_return fail(Code::permission_denied, "it did not prove to know the secret: it has another raft.secret, or none");
  }
  auto channel = std::make_unique<SecureChannel>(std::move(wire), handshake);
  CO_TRY(const Record first, co_await channel->next());
  if (first.type != RecordType::introduction) co_return fail(Code::corruption, "it does not introduce itself");
  CO_TRY(channel->other_, decode_introduction(first.content));
  co_return channel;
}

Task<Result<>> SecureChannel::answer(const Introduction& self) {
  std::string record, out = std::exchange(proof_, {});
  append_record(RecordType::introduction, encode(self), record);
  sealer_.seal(record, out);
  co_return co_await wire_->write(out);
}

Task<Result<Record>> SecureChannel::next() {
  for (;;) {
    CO_TRY(auto record, opened());
    if (record) co_return *std::move(record);
    CO_TRYV(co_await receive());
  }
}

Task<Result<>> SecureChannel::say(RecordType type, std::string_view content) {
  std::string record, sealed;
  append_record(type, content, record);
  sealer_.seal(record, sealed);
  co_return co_await wire_->write(sealed);
}

Task<Result<>> SecureChannel::receive() {
  if (begin_ > 0) {
    std::memmove(buffer_.get(), buffer_.get() + begin_, end_ - begin_);
    end_ -= begin_;
    begin_ = 0;
  }
  CO_TRY(const std::size_t got, co_await wire_->read_some(buffer_.get() + end_, kBuffer - end_));
  end_ += got;
  heard_ = Mono::clock::now();
  co_return Result<>{};
}

Result<std::optional<Record>> SecureChannel::opened() {
  TRY(auto record, records_.next());
  if (record) return record;
  std::string_view bytes(buffer_.get() + begin_, end_ - begin_);
  const bool whole = opener_.open(bytes, records_.input());
  begin_ = end_ - bytes.size();
  if (!whole) return fail(Code::corruption, "what came was altered on the way");
  return records_.next();
}

}  // namespace cc::consensus
