#include "consensus/handshake.h"

#include <gtest/gtest.h>

namespace cc::consensus {
namespace {

const std::string kSecret = "the secret of all nodes";

struct Both {
  Handshake dialer, acceptor;
  explicit Both(const std::string& other_secret = kSecret, Purpose purpose = Purpose::messages)
      : dialer(Side::dialer, kSecret, purpose), acceptor(Side::acceptor, other_secret) {}
  bool take() { return acceptor.take(dialer.hello()) && dialer.take(acceptor.hello()); }
};

TEST(Handshake, BothProveTheSecretAndHaveTheSameKeys) {
  Both both(kSecret, Purpose::file);
  ASSERT_TRUE(both.take());
  EXPECT_EQ(both.acceptor.purpose(), Purpose::file);
  EXPECT_TRUE(both.acceptor.proves(both.dialer.proof()));
  EXPECT_TRUE(both.dialer.proves(both.acceptor.proof()));
  EXPECT_EQ(both.dialer.sending_key(), both.acceptor.receiving_key());
  EXPECT_EQ(both.acceptor.sending_key(), both.dialer.receiving_key());
  EXPECT_NE(both.dialer.sending_key(), both.dialer.receiving_key());
}

TEST(Handshake, AnotherSecretProvesNothing) {
  Both both("another secret");
  ASSERT_TRUE(both.take());
  EXPECT_FALSE(both.acceptor.proves(both.dialer.proof()));
  EXPECT_FALSE(both.dialer.proves(both.acceptor.proof()));
  EXPECT_NE(both.dialer.sending_key(), both.acceptor.receiving_key());
}

TEST(Handshake, AProofOfOneConnectionIsOfNoUseInAnother) {
  Both first, second;
  ASSERT_TRUE(first.take());
  ASSERT_TRUE(second.take());
  EXPECT_FALSE(second.acceptor.proves(first.dialer.proof()));
  Handshake again(Side::acceptor, kSecret);  // to which what was recorded is said again
  ASSERT_TRUE(again.take(first.dialer.hello()));
  EXPECT_FALSE(again.proves(first.dialer.proof()));
}

TEST(Handshake, WhatOneSideSaidCannotBePassedOffAsTheOthers) {
  Both both;
  ASSERT_TRUE(both.take());
  EXPECT_FALSE(both.dialer.proves(both.dialer.proof()));
  EXPECT_FALSE(both.acceptor.proves(both.acceptor.proof()));
  Handshake dialer(Side::dialer, kSecret);
  if (dialer.take(dialer.hello())) EXPECT_FALSE(dialer.proves(dialer.proof()));
}

TEST(Handshake, AHelloThatWasAlteredMakesTheProofsFail) {
  for (std::size_t at = 0; at < Handshake::kHelloSize; ++at) {
    Both both;
    std::string hello = both.dialer.hello();
    hello[at] ^= 1;
    if (!both.acceptor.take(hello)) continue;
    if (both.acceptor.purpose() != Purpose::messages) continue;  // which the dialer sees
    ASSERT_TRUE(both.dialer.take(both.acceptor.hello())) << at;
    EXPECT_FALSE(both.acceptor.proves(both.dialer.proof())) << at;
  }
}

TEST(Handshake, KeysThatMakeTheResultKnownAreRefused) {
  Both both;
  std::string hello = both.dialer.hello();
  hello.replace(Handshake::kHelloSize - 32, 32, 32, '\0');
  EXPECT_FALSE(both.acceptor.take(hello));
}

TEST(Handshake, TheAnswerMustBeToWhatWasAsked) {
  Handshake dialer(Side::dialer, kSecret, Purpose::file);
  EXPECT_FALSE(dialer.take(Handshake(Side::acceptor, kSecret).hello()));
}

TEST(Handshake, TellsOtherVersionsFromStrangers) {
  std::string hello = Handshake(Side::dialer, kSecret).hello();
  EXPECT_EQ(Handshake::look_at(hello), Handshake::Prefix::ours);
  hello[8] ^= 2;
  EXPECT_EQ(Handshake::look_at(hello), Handshake::Prefix::other_version);
  EXPECT_EQ(Handshake::version_in(hello), kProtocolVersion ^ 2);
  EXPECT_FALSE(Handshake(Side::acceptor, kSecret).take(hello));
  EXPECT_EQ(Handshake::look_at("GET / HTTP/1.1"), Handshake::Prefix::foreign);
  EXPECT_EQ(Handshake::look_at(""), Handshake::Prefix::foreign);
}

}  // namespace
}  // namespace cc::consensus
