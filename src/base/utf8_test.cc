#include "base/utf8.h"

#include <gtest/gtest.h>

namespace cc {
namespace {

void expect(std::string_view text, char32_t code, std::size_t bytes) {
  const Character character = first_character(text);
  EXPECT_EQ(static_cast<unsigned>(character.code), static_cast<unsigned>(code)) << text;
  EXPECT_EQ(character.bytes, bytes) << text;
  EXPECT_EQ(character.step(), bytes == 0 ? 1 : bytes) << text;
}

TEST(Utf8, ACharacterHasACodeAndALength) {
  expect({"\0b", 2}, 0, 1);
  expect("\x7F", 0x7F, 1);
  expect("\u0080", 0x80, 2);
  expect("\u07FF", 0x7FF, 2);
  expect("\u0800", 0x800, 3);
  expect("配置", U'配', 3);
  expect("\uD7FF", 0xD7FF, 3);
  expect("\uE000", 0xE000, 3);
  expect("\uFFFF", 0xFFFF, 3);
  expect("\U00010000", 0x10000, 4);
  expect("\U0010FFFF", 0x10FFFF, 4);
}

TEST(Utf8, WhatIsNoneTakesNoBytes) {
  for (const char* bad : {"\x80", "\xC1\xBF", "\xC2", "\xC2 ", "\xE0\x9F\xBF", "\xE4\xBD", "\xED\xA0\x80",
                          "\xF0\x8F\xBF\xBF", "\xF0\x9F\x8E", "\xF4\x90\x80\x80", "\xF5\x80\x80\x80", "\xFF"})
    expect(bad, 0, 0);
}

TEST(Utf8, ControlCharactersAreThoseOfBothBlocks) {
  for (const char32_t c : {0x00, 0x1F, 0x7F, 0x80, 0x9F})
    EXPECT_TRUE(is_control(c)) << static_cast<unsigned>(c);
  for (const char32_t c : {0x20, 0x7E, 0xA0})
    EXPECT_FALSE(is_control(c)) << static_cast<unsigned>(c);
}

}  // namespace
}  // namespace cc
