#include "base/bytes.h"

#include <gtest/gtest.h>

#include "base/zip.h"

namespace cc {
namespace {

TEST(Bytes, digests_agree_with_their_test_vectors) {
  EXPECT_EQ(md5_hex("abc"), "900150983cd24fb0d6963f7d28e17f72");
  EXPECT_EQ(sha256_hex("abc"), "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
  EXPECT_EQ(to_hex(hmac_sha256("key", "The quick brown fox jumps over the lazy dog")),
            "f7bc83f430538424b13298e6aa6fb143ef4d59a14946175997479dbc2d1a3cd8");
  EXPECT_EQ(crc32("123456789"), 0xCBF43926u);
  EXPECT_EQ(hash64(""), 0x1e924b9d737700d7u);  // SipHash-2-4 under a key of zeros
}

TEST(Bytes, base64_comes_back_and_refuses_garbage) {
  EXPECT_EQ(to_base64("\xfb\xff"), "+/8=");
  EXPECT_EQ(from_base64("+/8="), "\xfb\xff");
  EXPECT_FALSE(from_base64("-_8="));
}

TEST(Bytes, base64url_comes_back_and_refuses_garbage) {
  const std::string bytes("\x00\xff\x10 any", 7);
  EXPECT_EQ(from_base64url(to_base64url(bytes)), bytes);
  EXPECT_EQ(to_base64url("\xfb\xff"), "-_8");
  EXPECT_FALSE(from_base64url("a+b/"));
}

TEST(Bytes, random_ids_differ_and_sort_by_time) {
  const std::string first = random_id();
  EXPECT_EQ(first.size(), 26u);
  EXPECT_NE(first, random_id());
  EXPECT_EQ(random_password(20).size(), 20u);
}

TEST(Zip, comes_back_with_names_in_chinese) {
  const std::vector<ZipEntry> entries = {{"default/应用.yaml", "a: 1\r\n"}, {"default/empty", ""}};
  const auto back = read_zip(write_zip(entries).value(), 1000);
  ASSERT_TRUE(back) << back.error().message;
  ASSERT_EQ(back->size(), 2u);
  EXPECT_EQ(back->at(0).name, entries[0].name);
  EXPECT_EQ(back->at(0).content, entries[0].content);
}

TEST(Zip, refuses_what_leaves_the_folder_is_too_large_or_is_no_zip) {
  EXPECT_FALSE(read_zip(write_zip({{"../etc/passwd", "x"}}).value(), 1000));
  EXPECT_FALSE(read_zip(write_zip({{"/etc/passwd", "x"}}).value(), 1000));
  EXPECT_EQ(read_zip(write_zip({{"a", std::string(2000, 'x')}}).value(), 1000).error().code, Code::exhausted);
  EXPECT_FALSE(read_zip("PK but not really", 1000));
}

TEST(Zip, refuses_an_archive_that_was_cut_off_wherever_that_was) {
  const std::string whole = write_zip({{"a", "first"}, {"b", "second"}, {"c", "third"}}).value();
  for (std::size_t length = 0; length < whole.size(); ++length)
    EXPECT_FALSE(read_zip(whole.substr(0, length), 1000)) << "cut off after " << length << " bytes of " << whole.size();
}

TEST(Zip, refuses_to_hold_a_name_that_would_be_read_as_another) {
  EXPECT_TRUE(write_zip({{"a/b\\c", "x"}}));
  const auto refused = write_zip({{"b\\c", "x"}});
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().code, Code::invalid_argument);
}

TEST(Zip, of_nothing_is_one_too) {
  const auto nothing = read_zip(write_zip({}).value(), 1000);
  ASSERT_TRUE(nothing) << nothing.error().message;
  EXPECT_TRUE(nothing->empty());
}

}  // namespace
}  // namespace cc
