#include "dns-backend/cloudflare/record.hpp"

#include "dns-backend/cloudflare/client.hpp"

#include <boost/json.hpp>

#include <gmock/gmock.h>

namespace cloudflare {
namespace {

using testing::HasSubstr;
namespace json = boost::json;

std::string page_of(std::string const& records) {
  return R"({"success":true,"errors":[],"messages":[],"result":[)" + records +
         R"(],"result_info":{"page":1,"per_page":100,"count":1,"total_count":1,"total_pages":3}})";
}

TEST(CloudflareRecord, ReadsEachTypeIntoPresentationForm) {
  struct Case {
    char const* json;
    char const* content;
  };
  for (
      Case const& row : std::vector<Case>{
          {R"("type":"A","content":"192.0.2.1")", "192.0.2.1"},
          {R"("type":"AAAA","content":"2001:DB8:0::1")", "2001:db8::1"},
          {R"("type":"CNAME","content":"Target.Example")", "target.example."},
          {R"("type":"MX","content":"mail.example","priority":10)", "10 mail.example."},
          {R"("type":"TXT","content":"plain \"x\"")", "\"plain \\\"x\\\"\""},
          {R"("type":"TXT","content":"\"quoted\"")", "\"quoted\""},
          {R"("type":"SRV","content":"5 443 t.example","data":{"priority":1,"weight":5,"port":443,"target":"t.example"}})",
           "1 5 443 t.example."},
          {R"("type":"CAA","content":"0 issue \"ca.example\"","data":{"flags":0,"tag":"issue","value":"ca.example"}})",
           "0 issue \"ca.example\""}}) {
    std::string text =
        R"({"id":"0123","name":"WWW.example","ttl":300,"proxied":false,"comment":"c",)" + std::string(row.json);
    if (text.back() != '}' || std::count(text.begin(), text.end(), '{') > std::count(text.begin(), text.end(), '}')) {
      text += "}";
    }
    auto const page = parse_page(200, page_of(text));
    ASSERT_TRUE(page) << text << page.error().what();
    ASSERT_EQ(page->records.size(), 1U);
    Record const& record = page->records[0];
    EXPECT_EQ(record.content, row.content);
    EXPECT_EQ(record.name.text(), "www.example.");
    EXPECT_EQ(record.id, "0123");
    EXPECT_EQ(record.ttl, 300U);
    EXPECT_EQ(record.comment, "c");
    EXPECT_EQ(page->total_pages, 3);
  }
}

TEST(CloudflareRecord, WritesWhatItReads) {
  for (auto const& [type, content] : std::vector<std::pair<dns::RRType, std::string>>{
           {dns::type_a, "192.0.2.1"},
           {dns::type_aaaa, "2001:db8::1"},
           {dns::type_cname, "target.example."},
           {dns::type_mx, "10 mail.example."},
           {dns::type_mx, "0 ."},
           {dns::type_ns, "ns1.example."},
           {dns::type_ptr, "host.example."},
           {dns::type_srv, "1 5 443 t.example."},
           {dns::type_txt, "\"v=spf1 -all\""},
           {dns::type_txt, "\"a \\\"b\\\" \\\\ c\""},
           {dns::type_caa, "0 issue \"ca.example; validationmethods=dns-01\""}}) {
    Record record;
    record.id = "7";
    record.name = dns::Name::parse("_x.example").value();
    record.type = type;
    record.content = dns::normalize_content(type, content).value();
    record.comment = "navigator:test";
    auto const page = parse_page(200, page_of(to_json(record)));
    ASSERT_TRUE(page) << to_json(record);
    EXPECT_EQ(page->records[0], record) << to_json(record);
  }
}

TEST(CloudflareRecord, KeepsForeignTypesAsTheyAre) {
  auto const page =
      parse_page(200, page_of(R"({"id":"1","name":"a.example","type":"LOC","content":"somewhere","ttl":1})"));
  EXPECT_EQ(page->records[0].type, dns::RRType());
  EXPECT_EQ(page->records[0].content, "somewhere");
}

TEST(CloudflareEnvelope, SaysWhyARequestFailed) {
  struct Case {
    int status;
    char const* body;
    errc code;
    char const* says;
  };
  for (Case const& row : std::vector<Case>{
           {400,
            R"({"success":false,"errors":[{"code":9005,"message":"not IPv4"},{"code":1,"message":"b"}],"result":null})",
            errc::rejected, "9005 not IPv4; 1 b"},
           {200, R"({"success":false,"errors":[]})", errc::rejected, "without a reason"},
           {403, R"({"success":false,"errors":[{"code":10000,"message":"Authentication error"}]})", errc::unauthorized,
            "10000"},
           {400, R"({"success":false,"errors":[{"code":10000,"message":"Authentication error"}]})", errc::unauthorized,
            ""},
           {401, "", errc::unauthorized, "401"},
           {429, "slow down", errc::rate_limited, "429"},
           {502, "<html>", errc::unavailable, "502"},
           {200, "<html>", errc::bad_message, "no envelope"},
           {404, "[]", errc::bad_message, "404"}}) {
    auto const done = parse_done(row.status, row.body);
    ASSERT_TRUE(done.has_error()) << row.body;
    EXPECT_EQ(done.error().code, row.code) << row.body;
    EXPECT_THAT(done.error().detail, HasSubstr(row.says));
    EXPECT_EQ(parse_page(row.status, row.body).error().code, row.code);
  }
  EXPECT_TRUE(parse_done(200, R"({"success":true,"result":{}})"));
  EXPECT_EQ(parse_page(200, R"({"success":true,"result":{}})").error().code, errc::bad_message);
  EXPECT_EQ(parse_page(200, page_of(R"({"name":"a.example","type":"A"})")).error().code, errc::bad_message);
  EXPECT_EQ(parse_page(200, page_of(R"({"id":"x\"}]","name":"a.example","type":"A"})")).error().code,
            errc::bad_message);
}

net::HttpResponse response(int status, std::vector<std::pair<std::string, std::string>> const& headers) {
  net::HttpResponse out;
  out.status = status;
  for (auto const& [name, value] : headers) {
    out.headers.set(name, value);
  }
  return out;
}

TEST(CloudflareLimit, ObeysWhatTheHeadersAskFor) {
  using std::chrono::seconds;
  EXPECT_EQ(advised_wait(response(429, {{"Retry-After", "17"}, {"Ratelimit", "\"default\";r=0;t=99"}})), seconds(17));
  EXPECT_EQ(advised_wait(response(429, {{"Ratelimit", "\"default\";r=0;t=30"}})), seconds(30));
  EXPECT_EQ(advised_wait(response(429, {})), seconds(300));
  EXPECT_EQ(advised_wait(response(429, {{"Retry-After", "0"}})), seconds(1));
  EXPECT_EQ(advised_wait(response(429, {{"Retry-After", "999999"}})), seconds(600));
  EXPECT_EQ(advised_wait(response(429, {{"Retry-After", "Wed, 21 Oct 2026 07:28:00 GMT"}})), seconds(300));
  EXPECT_EQ(advised_wait(response(200, {{"Ratelimit", "\"default\"; r=0; t=12"}})), seconds(12));
  EXPECT_EQ(advised_wait(response(200, {{"Ratelimit", "\"default\";r=50;t=30"}})), seconds(0));
  EXPECT_EQ(advised_wait(response(200, {})), seconds(0));
}

TEST(CloudflareBatch, NamesOnlyTheListsItHas) {
  Batch batch;
  EXPECT_EQ(to_json(batch), "{}");
  batch.deletes = {"1", "2"};
  EXPECT_EQ(to_json(batch), R"({"deletes":[{"id":"1"},{"id":"2"}]})");
  Record record;
  record.name = dns::Name::parse("a.example").value();
  record.type = dns::type_a;
  record.content = "192.0.2.1";
  batch.posts = {record};
  json::object const parsed = json::parse(to_json(batch)).as_object();
  EXPECT_EQ(parsed.size(), 2U);
  EXPECT_EQ(parsed.at("posts").as_array()[0].as_object().at("content").as_string(), "192.0.2.1");
  EXPECT_FALSE(parsed.at("posts").as_array()[0].as_object().contains("id"));
}

}  // namespace
}  // namespace cloudflare
