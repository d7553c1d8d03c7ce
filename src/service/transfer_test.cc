#include "service/transfer.h"

#include <map>

#include <boost/json.hpp>
#include <gmock/gmock.h>

#include "base/bytes.h"
#include "base/text.h"
#include "base/zip.h"
#include "service/test_node.h"

namespace cc::service {
namespace {

using testing::AllOf;
using testing::HasSubstr;

using Files = std::map<std::string, std::string>;

const Files kFiles{{"default/application.yaml", "a: 1\n"},
                   {"default/conf.d/中文.properties", "键=值\n"},
                   {"beijing/application.yaml", "a: 2\r\n"},
                   {"default/empty.txt", ""}};

std::string zipped(const Files& files) {
  std::vector<ZipEntry> entries;
  for (const auto& [name, content] : files)
    entries.push_back({.name = name, .content = content});
  return write_zip(entries).value();
}

// As no archiver of ours writes it: the name's bytes stand there as they are.
std::string zip_of_one(const std::string& name, const std::string& content, bool said_to_be_utf8) {
  const auto number = [](std::uint64_t value, int bytes) {
    std::string out;
    for (int i = 0; i < bytes; ++i, value >>= 8)
      out += static_cast<char>(value);
    return out;
  };
  // From "version needed" to the lengths of name and extra field, which both headers have.
  const std::string about = number(20, 2) + number(said_to_be_utf8 ? 0x800 : 0, 8) + number(crc32(content), 4) +
                            number(content.size(), 4) + number(content.size(), 4) + number(name.size(), 2) +
                            number(0, 2);
  const std::string file = "PK\3\4" + about + name + content;
  const std::string entry = "PK\1\2" + number(20, 2) + about + number(0, 14) + name;
  return file + entry + "PK\5\6" + number(0, 4) + number(1, 2) + number(1, 2) + number(entry.size(), 4) +
         number(file.size(), 4) + number(0, 2);
}

Files unzipped(const std::string& zip) {
  Files files;
  for (auto& entry : read_zip(zip, 1 << 20).value())
    files.emplace(entry.name, entry.content);
  return files;
}

class Transfer : public testing::Test {
 protected:
  Result<Change> import_as(const Call& call, const Files& files, bool dry_run = false, std::string application = "shop",
                           std::string environment = "dev") {
    return node.run(import_configs(node.context(), call,
                                   {.environment = std::move(environment),
                                    .application = std::move(application),
                                    .zip = zipped(files),
                                    .comment = "moved",
                                    .dry_run = dry_run}));
  }
  Result<Change> import(const Files& files, bool dry_run = false) { return import_as(node.admin(), files, dry_run); }

  TestNode node;
};

TEST_F(Transfer, AnApplicationIsOneCommitAndComesOutTheSame) {
  const auto change = import(kFiles);
  ASSERT_TRUE(change) << change.error().message;
  EXPECT_EQ(change->published.size(), kFiles.size());
  for (const auto& one : change->published)
    EXPECT_EQ(one.revision, change->revision);
  const auto zip = node.run(export_configs(node.context(), node.admin(), "dev", "shop"));
  ASSERT_TRUE(zip);
  EXPECT_EQ(unzipped(*zip), kFiles);
  EXPECT_EQ(node.audited({.action = "config.import"}).size(), kFiles.size());
}

TEST_F(Transfer, AnEnvironmentMovesToAnother) {
  Files files;
  for (const auto& [name, content] : kFiles) {
    files.emplace("shop/" + name, content);
    files.emplace("store/" + name, content);
  }
  ASSERT_TRUE(import_as(node.admin(), files, false, "", "dev"));
  const auto zip = node.run(export_configs(node.context(), node.admin(), "dev", ""));
  ASSERT_TRUE(zip);
  EXPECT_EQ(unzipped(*zip), files);
}

TEST_F(Transfer, FormatsThatDoNotFollowFromTheNameGoAlong) {
  const std::map<std::string, Format> formats = {{"default/settings", Format::json},
                                                 {"default/notes.yaml", Format::text},
                                                 {"default/.env", Format::properties},
                                                 {"default/plain.txt", Format::text}};
  for (const auto& [name, format] : formats) {
    ASSERT_TRUE(node.run(publish(
        node.context(), node.admin(),
        {.key = {"dev", "shop", "default", name.substr(name.find('/') + 1)}, .content = "{}", .format = format})));
  }
  const auto zip = node.run(export_configs(node.context(), node.admin(), "dev", "shop"));
  ASSERT_TRUE(zip);
  EXPECT_EQ(unzipped(*zip).count("default/plain.txt"), 1u);
  const auto change = node.run(
      import_configs(node.context(), node.admin(), {.environment = "prod", .application = "shop", .zip = *zip}));
  ASSERT_TRUE(change) << change.error().message;
  EXPECT_EQ(change->published.size(), formats.size());
  for (const auto& [name, format] : formats)
    EXPECT_EQ(node.view().find("prod/shop/" + name)->format, format) << name;
}

TEST_F(Transfer, SecretConfigsAreSecretWhereTheyCome) {
  const ConfigKey secret{"dev", "shop", "default", "passwords.json"}, open{"dev", "shop", "default", "open.json"};
  ASSERT_TRUE(node.run(publish(node.context(), node.admin(), {.key = secret, .content = "{}", .secret = true})));
  ASSERT_TRUE(node.run(publish(node.context(), node.admin(), {.key = open, .content = "{}"})));
  const auto zip = node.run(export_configs(node.context(), node.admin(), "dev", "shop"));
  ASSERT_TRUE(zip);
  const Import into{.environment = "prod", .application = "shop", .zip = *zip};
  ASSERT_TRUE(node.run(import_configs(node.context(), node.admin(), into)));
  EXPECT_TRUE(node.view().find("prod/shop/default/passwords.json")->secret);
  EXPECT_FALSE(node.view().find("prod/shop/default/open.json")->secret);

  // A tree of files that does not know of it.
  ASSERT_TRUE(import_as(node.admin(), {{"default/passwords.json", "[]"}}, false, "shop", "prod"));
  EXPECT_TRUE(node.view().find("prod/shop/default/passwords.json")->secret);
}

TEST_F(Transfer, MakingAConfigSecretIsForeseenAsAChange) {
  ASSERT_TRUE(import({{"default/a.json", "{}"}}));
  const Files secret{{"default/a.json", "{}"},
                     {".config-center.json", R"({"configs": {"default/a.json": {"format": "json", "secret": true}}})"}};
  EXPECT_FALSE(import(secret, true)->published.at(0).unchanged);
  EXPECT_FALSE(import(secret)->published.at(0).unchanged);
  EXPECT_TRUE(import(secret, true)->published.at(0).unchanged);
}

TEST_F(Transfer, AListingOfSomebodyElseIsRefused) {
  const auto refused = import({{"default/a", "x"}, {".config-center.json", "{}"}});
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().code, Code::invalid_argument);
  EXPECT_THAT(refused.error().message, HasSubstr(".config-center.json"));
  EXPECT_EQ(node.view().configs(), 0u);
}

TEST_F(Transfer, WhatIsEqualIsLeftAlone) {
  const auto first = import(kFiles);
  Files changed = kFiles;
  changed["default/application.yaml"] = "a: 9\n";
  const auto second = import(changed);
  ASSERT_TRUE(second);
  for (const auto& one : second->published) {
    const bool is_changed = one.key == "dev/shop/default/application.yaml";
    EXPECT_EQ(one.unchanged, !is_changed) << one.key;
    EXPECT_EQ(one.revision, is_changed ? second->revision : first->revision);
  }
}

TEST_F(Transfer, ADryRunForetellsTheOutcomeAndChangesNothing) {
  ASSERT_TRUE(import(kFiles));
  Files changed = kFiles;
  changed["default/application.yaml"] = "a: 9\n";
  changed["default/new.txt"] = "new";
  const auto revision = node.view().revision();
  const auto forecast = import(changed, true);
  ASSERT_TRUE(forecast);
  EXPECT_EQ(node.view().revision(), revision);
  EXPECT_EQ(node.view().find("dev/shop/default/new.txt"), nullptr);
  const auto outcome = import(changed);
  ASSERT_TRUE(outcome);
  ASSERT_EQ(forecast->published.size(), outcome->published.size());
  std::map<std::string, Published> foretold;
  for (const auto& one : forecast->published)
    foretold[one.key] = one;
  for (const auto& one : outcome->published) {
    EXPECT_EQ(foretold[one.key].version, one.version) << one.key;
    EXPECT_EQ(foretold[one.key].unchanged, one.unchanged) << one.key;
    EXPECT_EQ(foretold[one.key].sha256, one.sha256) << one.key;
  }
}

TEST_F(Transfer, OneBadFileAndNothingIsImportedAndAllBadOnesAreNamed) {
  Files files = kFiles;
  files["default/bad.json"] = "{";
  files["default/worse.yaml"] = "a: 1\na: 2\n";
  files["top-level.txt"] = "no cluster";
  const auto refused = import(files);
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().code, Code::invalid_argument);
  EXPECT_THAT(refused.error().message, HasSubstr("3 of 7 files"));
  EXPECT_THAT(refused.error().details, AllOf(HasSubstr("default/bad.json"), HasSubstr("default/worse.yaml"),
                                             HasSubstr("top-level.txt"), HasSubstr("\"line\":2")));
  EXPECT_EQ(node.view().configs(), 0u);
}

TEST_F(Transfer, OfManyBadFilesTheFirstAreNamedAndAllAreCounted) {
  Files files;
  for (int i = 0; i < 1000; ++i)
    files.emplace("default/" + std::to_string(i) + ".json", "{");
  const auto refused = import(files);
  ASSERT_FALSE(refused);
  EXPECT_THAT(refused.error().message, HasSubstr("1000 of 1000 files"));
  const auto details = boost::json::parse(refused.error().details).as_object();
  EXPECT_EQ(details.at("count").to_number<int>(), 1000);
  EXPECT_EQ(details.at("errors").as_array().size(), 100u);
}

TEST_F(Transfer, NamesThatAreNoTextAreToldAsText) {
  const auto refusal = [&](const std::string& name, bool said_to_be_utf8 = false) {
    const auto refused = node.run(
        import_configs(node.context(), node.admin(),
                       {.environment = "dev", .application = "shop", .zip = zip_of_one(name, "{", said_to_be_utf8)}));
    EXPECT_FALSE(refused) << name;
    const Error error = refused ? Error{} : refused.error();
    EXPECT_EQ(error.code, Code::invalid_argument);
    EXPECT_EQ(find_invalid_utf8(error.message + error.details), std::string::npos) << error.message << error.details;
    EXPECT_EQ((error.message + error.details).find('\x1b'), std::string::npos) << error.message << error.details;
    return error;
  };
  const auto details = boost::json::parse(refusal("default/\x1b[31m.json").details).as_object();
  EXPECT_EQ(details.at("errors").at(0).at("name"), "default/\\x1B[31m.json");
  for (const char* name : {"default/\xb9\xfa.json", "\xb9\xfa\x1b", "../\xb9\xfa", "../\x1b[31m"}) {
    refusal(name);
    refusal(name, true);
  }
}

TEST_F(Transfer, ANameMayHoldABackslashOnTheWayOutAndBackIn) {
  const Files files{{"default/logs\\old.txt", "x"}};
  ASSERT_TRUE(import(files));
  ASSERT_TRUE(node.view().find("dev/shop/default/logs\\old.txt"));
  const auto zip = node.run(export_configs(node.context(), node.admin(), "dev", "shop"));
  ASSERT_TRUE(zip);
  EXPECT_EQ(unzipped(*zip), files);
  EXPECT_TRUE(node.run(
      import_configs(node.context(), node.admin(), {.environment = "prod", .application = "shop", .zip = *zip})));
  EXPECT_TRUE(node.view().find("prod/shop/default/logs\\old.txt"));
}

TEST_F(Transfer, OfWhoMayImportNothingThereNoZipIsLookedAt) {
  const auto code = [&](const Call& call, const std::string& environment) {
    return node.run(import_configs(node.context(), call, {.environment = environment, .zip = "no zip at all"}))
        .error()
        .code;
  };
  node.user("vera", {{.role = Role::viewer}});
  node.user("otto", {{.role = Role::operator_}});
  node.user("paul", {{.role = Role::publisher, .scope = {.environment = "prod", .application = "shop"}}});
  EXPECT_EQ(code(node.as(node.token("vera")), "dev"), Code::permission_denied);
  EXPECT_EQ(code(node.as(node.token("otto")), "dev"), Code::permission_denied);
  EXPECT_EQ(code(node.as(node.token("paul")), "dev"), Code::permission_denied);
  EXPECT_EQ(code(node.nobody(), "dev"), Code::unauthenticated);
  std::vector<std::string> refused;
  for (const AuditRecord& record : node.audited({.action = "config.import"}))
    refused.push_back(record.actor + " " + record.target);
  EXPECT_THAT(refused, testing::UnorderedElementsAre("vera dev/", "otto dev/", "paul dev/", "anonymous dev/"));
  EXPECT_EQ(code(node.as(node.token("paul")), "prod"), Code::invalid_argument) << "who may import something is told";
}

TEST_F(Transfer, ADryRunIntoAnEnvironmentThatIsNotThereIsRefusedAsTheImportWouldBe) {
  for (const bool dry_run : {true, false}) {
    const auto refused = import_as(node.admin(), kFiles, dry_run, "shop", "pord");
    ASSERT_FALSE(refused) << dry_run;
    EXPECT_EQ(refused.error().code, Code::not_found);
  }
}

TEST_F(Transfer, WhatIsNoZipAndWhatIsEmptyAreRefused) {
  const auto refused = node.run(import_configs(node.context(), node.admin(),
                                               {.environment = "dev", .application = "shop", .zip = "no zip at all"}));
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().code, Code::invalid_argument);
  const auto empty = import({});
  ASSERT_FALSE(empty);
  EXPECT_EQ(empty.error().code, Code::invalid_argument);
}

TEST_F(Transfer, NotManyAreUnpackedAtOnce) {
  node.machine().hold();
  const std::string zip = zipped(kFiles);
  const auto start = [&](const Call& call) {
    return node.start(import_configs(node.context(), call, {.environment = "dev", .application = "shop", .zip = zip}));
  };
  const Call one = node.admin(), other = node.admin(), third = node.admin();
  const auto first = start(one), second = start(other);
  const auto refused = start(third)->value();
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().code, Code::exhausted);
  node.machine().release();
  EXPECT_TRUE(first->value());
  EXPECT_TRUE(second->value());
  EXPECT_TRUE(import({{"default/other.txt", "x"}})) << "there is room again";
}

TEST_F(Transfer, EveryApplicationInTheZipNeedsThePermission) {
  node.user("paul", {{.role = Role::publisher, .scope = {.application = "shop"}}});
  const Call paul = node.as(node.token("paul"));
  EXPECT_TRUE(import_as(paul, {{"shop/default/a", "x"}}, false, ""));
  const auto refused =
      import_as(node.as(node.token("paul")), {{"shop/default/b", "x"}, {"other/default/c", "x"}}, false, "");
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().code, Code::permission_denied);
  EXPECT_EQ(node.view().find("dev/shop/default/b"), nullptr);
  EXPECT_EQ(node.audited({.action = "config.import", .outcome = "permission_denied"}).size(), 1u);
}

TEST_F(Transfer, AnExportHoldsOnlyWhatMayBeRead) {
  ASSERT_TRUE(import_as(node.admin(), {{"shop/default/a", "x"}, {"other/default/b", "y"}}, false, ""));
  node.user("vera", {{.role = Role::viewer, .scope = {.application = "shop"}}});
  const auto zip = node.run(export_configs(node.context(), node.as(node.token("vera")), "dev", ""));
  ASSERT_TRUE(zip);
  EXPECT_EQ(unzipped(*zip), (Files{{"shop/default/a", "x"}}));
  EXPECT_FALSE(node.run(export_configs(node.context(), node.as(node.token("vera")), "dev", "other")));
}

TEST_F(Transfer, ThereIsALimitToWhatIsMovedAtOnce) {
  ASSERT_TRUE(import({{"default/a", "12345"}, {"default/b", "67890"}}));
  node.context().limits.transfer = 9;
  for (const Error& refused : {node.run(export_configs(node.context(), node.admin(), "dev", "shop")).error(),
                               import({{"default/a", "12345"}, {"default/b", "67890"}}).error()}) {
    EXPECT_EQ(refused.code, Code::exhausted);
    EXPECT_THAT(refused.message, HasSubstr("server.max_body"));
    EXPECT_THAT(refused.details, HasSubstr("\"limit_bytes\":9"));
  }
  node.context().limits.transfer = 10;
  EXPECT_TRUE(node.run(export_configs(node.context(), node.admin(), "dev", "shop")));
}

TEST_F(Transfer, AnExportOfWhatIsNotThereIsNotFoundAndOfNothingIsEmpty) {
  const auto missing = node.run(export_configs(node.context(), node.admin(), "nowhere", ""));
  ASSERT_FALSE(missing);
  EXPECT_EQ(missing.error().code, Code::not_found);
  const auto empty = node.run(export_configs(node.context(), node.admin(), "dev", ""));
  ASSERT_TRUE(empty);
  EXPECT_EQ(unzipped(*empty), Files{});
}

}  // namespace
}  // namespace cc::service
