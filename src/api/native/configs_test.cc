#include <gmock/gmock.h>

#include "api/native/test_api.h"
#include "base/zip.h"

namespace cc::api::native {
namespace {

using http::Method;
using testing::HasSubstr;

constexpr auto kConfig = "/v1/configs/dev/shop/default/application.yaml";
constexpr auto kDraft = "/v1/drafts/dev/shop/default/application.yaml";
constexpr auto kReleases = "/v1/releases/dev/shop/default/application.yaml";

std::string revision_of(const http::Response& response) {
  return std::to_string(json_of(response).at("revision").to_number<Revision>());
}

TEST(Configs, APublishAnswersWhatItMadeAndAReadHasItsHeaders) {
  TestApi api;
  const auto published = api.put(kConfig, "a: 1\n");
  ASSERT_EQ(published.status, 201u) << published.bytes();
  EXPECT_EQ(json_of(published).size(), 5u);
  EXPECT_EQ(json_of(published).at("key").as_string(), "dev/shop/default/application.yaml");
  EXPECT_EQ(json_of(published).at("version").as_int64(), 1);
  EXPECT_EQ(api.put(kConfig, "a: 2\n").status, 200u);

  const auto read = api.get(kConfig);
  EXPECT_EQ(read.status, 200u);
  EXPECT_EQ(read.bytes(), "a: 2\n");
  EXPECT_EQ(read.header("Content-Type"), media_type(Format::yaml));
  EXPECT_EQ(read.header("X-Config-Version"), "2");
  EXPECT_EQ(read.header("X-Config-Format"), "yaml");
  EXPECT_EQ(read.header("X-Config-Md5"), md5_hex("a: 2\n"));
  EXPECT_EQ(read.header("ETag"), "\"" + std::string(read.header("X-Config-Revision")) + "\"");
}

TEST(Configs, ASecretOneSaysSoWhereverItIsTold) {
  TestApi api;
  ASSERT_EQ(api.put(kConfig, "a: 1\n").status, 201u);
  EXPECT_EQ(api.get(kConfig).header("X-Config-Secret"), "");
  ASSERT_EQ(api.put(std::string(kConfig) + "?secret=true", "a: 2\n").status, 200u);
  EXPECT_EQ(api.get(kConfig).header("X-Config-Secret"), "true");
  const auto secret = [&](const std::string& target) {
    return json_of(api.get(target)).at("items").at(0).at("secret").as_bool();
  };
  EXPECT_TRUE(secret("/v1/configs?environment=dev"));
  EXPECT_TRUE(secret("/v1/releases/dev/shop/default/application.yaml"));
  EXPECT_TRUE(json_of(api.get("/v1/releases/dev/shop/default/application.yaml?version=2")).at("secret").as_bool());
  EXPECT_FALSE(json_of(api.get("/v1/releases/dev/shop/default/application.yaml?version=1")).at("secret").as_bool());
  ASSERT_EQ(api.put("/v1/drafts/dev/shop/default/application.yaml", "a: 3\n").status, 200u);
  ASSERT_EQ(api.put(std::string(kConfig) + "?from=draft&secret=false", "").status, 200u);
  EXPECT_EQ(api.get(kConfig).header("X-Config-Secret"), "");
  const auto wrong = api.put(std::string(kConfig) + "?secret=1", "a: 2\n");
  EXPECT_EQ(wrong.status, 400u);
  EXPECT_THAT(std::string(wrong.bytes()), HasSubstr("give true or false"));
}

TEST(Configs, ContentIsNotCopiedForAReader) {
  TestApi api;
  api.put(kConfig, "a: 1\n");
  const auto read = api.get(kConfig);
  EXPECT_EQ(read.bytes().data(), api.node.view().find("dev/shop/default/application.yaml")->content.data());
}

TEST(Configs, WhoHasTheNewestGets304) {
  TestApi api;
  const std::string etag = '"' + revision_of(api.put(kConfig, "a: 1\n")) + '"';
  for (const std::string& match : {etag, "W/" + etag, "\"0\", " + etag, std::string("*")}) {
    const auto answer = api.get(kConfig, {{"If-None-Match", match}});
    EXPECT_EQ(answer.status, 304u) << match;
    EXPECT_EQ(answer.header("ETag"), etag);
    EXPECT_EQ(answer.bytes(), "");
  }
  EXPECT_EQ(api.get(kConfig, {{"If-None-Match", "\"0\""}}).status, 200u);
}

TEST(Configs, OfADeletedOneTheRevisionIsTold) {
  TestApi api;
  EXPECT_EQ(api.get(kConfig).header("X-Config-Deleted"), "");
  api.put(kConfig, "a: 1\n");
  const auto deleted = api.send(Method::delete_, std::string(kConfig) + "?comment=away");
  ASSERT_EQ(deleted.status, 200u) << deleted.bytes();
  EXPECT_EQ(json_of(deleted).at("version").as_int64(), 1);
  const auto read = api.get(kConfig);
  EXPECT_EQ(read.status, 404u);
  EXPECT_EQ(read.header("X-Config-Deleted"), "true");
  EXPECT_EQ(read.header("X-Config-Revision"), revision_of(deleted));
}

TEST(Configs, EscapesNameTheSameConfigAndNoOther) {
  TestApi api;
  ASSERT_EQ(api.put("/v1/configs/dev/shop/default/a%20b/%E4%B8%AD.txt", "x").status, 201u);
  EXPECT_EQ(api.get("/v1/configs/dev/shop/default/a%20b/%e4%b8%ad.txt").bytes(), "x");
  EXPECT_EQ(api.get("/v1/configs/dev/shop/%64efault/a%20b/%E4%B8%AD.txt").bytes(), "x");
  ASSERT_EQ(api.put("/v1/configs/dev/a/b/c/d", "x").status, 201u);
  EXPECT_EQ(api.get("/v1/configs/dev/a%2Fb/c/d").status, 400u) << "an application has no /";
}

TEST(Configs, GuardsAreETags) {
  TestApi api;
  const auto first = revision_of(api.put(kConfig, "a: 1\n", {{"If-None-Match", "*"}}));
  EXPECT_EQ(api.put(kConfig, "a: 2\n", {{"If-None-Match", "*"}}).status, 412u);
  EXPECT_EQ(api.put(kConfig, "a: 2\n", {{"If-Match", '"' + first + '"'}}).status, 200u);
  EXPECT_EQ(api.put(kConfig, "a: 3\n", {{"If-Match", '"' + first + '"'}}).status, 412u);
  EXPECT_EQ(api.put(kConfig, "a: 3\n", {{"If-Match", first}}).status, 400u);
  EXPECT_EQ(api.put(kConfig, "a: 3\n", {{"If-Match", "\"1\", \"2\""}}).status, 400u);
  EXPECT_EQ(api.send(Method::delete_, kConfig, {}, {{"If-Match", '"' + first + '"'}}).status, 412u);
  EXPECT_EQ(api.put(kConfig, "a: 3\n", {{"If-Match", "*"}}).status, 200u);
  const auto absent = api.put(kConfig + std::string("2"), "a: 3\n", {{"If-Match", "*"}});
  EXPECT_EQ(absent.status, 412u) << "there is nothing that could match";
  EXPECT_EQ(error_code(absent), "conflict");
}

TEST(Configs, ARepetitionSaysThatItIsOne) {
  TestApi api;
  const auto first = api.put(kConfig, "a: 1\n", {{"X-Request-Id", "same"}});
  EXPECT_EQ(first.header("X-Config-Repeated"), "");
  const auto again = api.put(kConfig, "a: 1\n", {{"X-Request-Id", "same"}});
  EXPECT_EQ(again.header("X-Config-Repeated"), "true");
  EXPECT_EQ(again.bytes(), first.bytes());
  EXPECT_EQ(again.status, first.status);
}

TEST(Configs, TypingErrorsInTheQueryAreNamed) {
  TestApi api;
  const auto refused = api.get(std::string(kConfig) + "?versoin=1");
  EXPECT_EQ(refused.status, 400u);
  EXPECT_THAT(std::string(refused.bytes()), HasSubstr("did you mean \\\"version\\\"?"));
  for (const char* query : {"?wait=1s", "?after=x", "?after=-1", "?after=1&wait=6m", "?after=1&wait=30", "?version=x",
                            "?version=1&after=1"})
    EXPECT_EQ(api.get(std::string(kConfig) + query).status, 400u) << query;
}

TEST(Configs, AWrongTokenIs401AndRecorded) {
  TestApi api;
  const auto refused = api.get(kConfig, {}, "Bearer nonsense");
  EXPECT_EQ(refused.status, 401u);
  EXPECT_NE(refused.header("WWW-Authenticate"), "");
  const auto records = api.node.audited({.action = "authenticate"});
  ASSERT_EQ(records.size(), 1u);
  EXPECT_EQ(records[0].target, "GET /v1/configs/dev/shop/default/application.yaml");
  EXPECT_EQ(api.get(kConfig, {}, "").status, 401u);
}

TEST(Configs, AListHasThePartsOfEachKey) {
  TestApi api;
  api.put("/v1/configs/dev/shop/default/a/b.yaml?comment=why", "a: 1\n");
  const auto list = json_of(api.get("/v1/configs?application=shop"));
  ASSERT_EQ(list.at("items").as_array().size(), 1u);
  const auto& item = list.at("items").as_array()[0].as_object();
  EXPECT_EQ(item.at("environment").as_string(), "dev");
  EXPECT_EQ(item.at("cluster").as_string(), "default");
  EXPECT_EQ(item.at("name").as_string(), "a/b.yaml");
  EXPECT_EQ(item.at("size").to_number<int>(), 5);
  EXPECT_EQ(item.at("comment").as_string(), "why");
  EXPECT_FALSE(list.contains("next"));
}

TEST(Drafts, AreAnsweredWithWhatIsWrongWithThem) {
  TestApi api;
  const auto saved = api.put(kDraft, "a: 1\na: 2\n");
  ASSERT_EQ(saved.status, 200u);
  EXPECT_FALSE(json_of(saved).at("valid").as_bool());
  const boost::json::object problem = json_of(saved).at("problem").as_object();
  EXPECT_EQ(problem.at("line").to_number<int>(), 2);
  EXPECT_THAT(std::string(problem.at("message").as_string()), HasSubstr("application.yaml: line 2"));
  const auto refused = api.put(std::string(kConfig) + "?from=draft", "");
  EXPECT_EQ(refused.status, 400u);
  EXPECT_EQ(json_of(refused).at("error").at("message"), problem.at("message"));
  const auto finished = api.put(kDraft, "a: 1\n");
  EXPECT_TRUE(json_of(finished).at("valid").as_bool());
  EXPECT_FALSE(json_of(finished).contains("problem"));
}

TEST(Drafts, AreSavedReadPublishedAndDiscarded) {
  TestApi api;
  const auto saved = api.put(kDraft, "a: 1\n");
  ASSERT_EQ(saved.status, 200u) << saved.bytes();
  const auto draft = api.get(kDraft);
  EXPECT_EQ(draft.bytes(), "a: 1\n");
  EXPECT_EQ(draft.header("ETag"), '"' + revision_of(saved) + '"');
  EXPECT_EQ(draft.header("X-Config-Base-Version"), "0");
  EXPECT_EQ(json_of(api.get("/v1/drafts")).at("items").as_array()[0].as_object().at("size").to_number<int>(), 5);
  EXPECT_EQ(api.put(std::string(kConfig) + "?from=draft", "not empty").status, 400u);
  EXPECT_EQ(api.put(std::string(kConfig) + "?from=draft", "").status, 201u);
  EXPECT_EQ(api.send(Method::delete_, kDraft).status, 404u);
}

TEST(Releases, HistoryOneOfThemAndWhatChanged) {
  TestApi api;
  api.put(std::string(kConfig) + "?comment=first", "a: 1\nb: 2\n");
  api.put(kConfig, "a: 1\nb: 3\n");
  const auto history = json_of(api.get(std::string(kReleases) + "?limit=1"));
  EXPECT_EQ(history.at("items").as_array()[0].as_object().at("version").to_number<int>(), 2);
  EXPECT_TRUE(history.contains("next"));
  const auto one = json_of(api.get(std::string(kReleases) + "?version=1"));
  EXPECT_EQ(one.at("content").as_string(), "a: 1\nb: 2\n");
  EXPECT_EQ(one.at("comment").as_string(), "first");
  const auto diff = api.get(std::string(kReleases) + "?diff=1..published");
  EXPECT_THAT(std::string(diff.bytes()), HasSubstr("\n-b: 2\n+b: 3\n"));
  const auto lines = json_of(api.get(std::string(kReleases) + "?diff=1..2&output=json"));
  EXPECT_FALSE(lines.at("equal").as_bool());
  EXPECT_EQ(lines.at("lines").as_array().size(), 3u);
  const auto back = api.post(std::string(kReleases) + "?rollback=1", "");
  EXPECT_EQ(back.status, 200u) << back.bytes();
  EXPECT_EQ(api.get(kConfig).bytes(), "a: 1\nb: 2\n");
  EXPECT_EQ(api.post(kReleases, "").status, 400u);
}

TEST(Releases, ADiffAsJsonTellsEachLineAsItIs) {
  TestApi api;
  api.put("/v1/configs/dev/shop/default/a.txt", "same\n\"old\"\t中\n");
  api.put("/v1/configs/dev/shop/default/a.txt", "same\nnew\x01\\");
  const auto answer = api.get("/v1/releases/dev/shop/default/a.txt?diff=1..2&output=json");
  EXPECT_EQ(answer.header("Content-Type"), "application/json");
  EXPECT_EQ(boost::json::parse(answer.bytes()),
            (boost::json::value{{"from", "1"},
                                {"to", "2"},
                                {"equal", false},
                                {"lines",
                                 {{{"kind", "same"}, {"text", "same"}, {"old_line", 1}, {"new_line", 1}},
                                  {{"kind", "removed"}, {"text", "\"old\"\t中"}, {"old_line", 2}},
                                  {{"kind", "added"}, {"text", "new\x01\\"}, {"new_line", 2}}}}}));
  EXPECT_EQ(api.get("/v1/releases/dev/shop/default/a.txt?diff=1..1&output=json").bytes(),
            R"({"from":"1","to":"1","equal":true,"lines":[{"kind":"same","text":"same","old_line":1,"new_line":1},)"
            R"({"kind":"same","text":"\"old\"\t中","old_line":2,"new_line":2}]})");
}

TEST(Releases, ADiffOfAMillionLinesIsNotToldAsJson) {
  TestApi api;
  api.put("/v1/configs/dev/shop/default/a.txt", std::string(1'000'000, '\n'));
  api.put("/v1/configs/dev/shop/default/a.txt", "x");
  const auto answer = api.get("/v1/releases/dev/shop/default/a.txt?diff=1..2&output=json");
  EXPECT_EQ(answer.status, 400u);
  EXPECT_THAT(std::string(answer.bytes()), HasSubstr("output=unified"));
  EXPECT_EQ(api.get("/v1/releases/dev/shop/default/a.txt?diff=1..2").status, 200u);
}

TEST(Transfer, AZipGoesInAndComesOut) {
  TestApi api;
  const std::string zip = write_zip({{.name = "default/a.yaml", .content = "a: 1\n"}}).value();
  const auto dry = json_of(api.post("/v1/import/dev/shop?dry_run=true", zip));
  EXPECT_EQ(dry.at("published").as_array().size(), 1u);
  EXPECT_EQ(api.get("/v1/configs/dev/shop/default/a.yaml").status, 404u);
  const auto in = api.post("/v1/import/dev/shop?comment=moved", zip);
  ASSERT_EQ(in.status, 200u) << in.bytes();
  const auto out = api.get("/v1/export/dev/shop");
  EXPECT_EQ(out.header("Content-Type"), "application/zip");
  const auto entries = read_zip(out.bytes(), 1000).value();
  ASSERT_EQ(entries.size(), 1u);
  EXPECT_EQ(entries[0].name, "default/a.yaml");
  EXPECT_EQ(entries[0].content, "a: 1\n");
}

}  // namespace
}  // namespace cc::api::native
