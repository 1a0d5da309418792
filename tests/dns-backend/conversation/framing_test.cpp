#include "dns-backend/conversation/framing.hpp"

#include "base/net/task.hpp"
#include "dns-backend/protocol/request.hpp"

#include <gmock/gmock.h>

namespace {

using connector::cut_request;
using connector::Framing;
using testing::HasSubstr;

std::string http(std::string const& head, std::string const& body) {
  return head + "\r\nHost: x\r\nContent-Length: " + std::to_string(body.size()) + "\r\n\r\n" + body;
}

// The request, or what was wrong with the bytes; "(more)" while the end is missing.
std::string cut(Framing framing, std::string const& bytes) {
  std::string body;
  auto const found = cut_request(framing, bytes, body);
  if (!found) {
    return "failure: " + found.error().detail;
  }
  return *found ? std::string((*found)->request) : "(more)";
}

TEST(Framing, LinesEndAtANewline) {
  EXPECT_EQ(cut(Framing::line, ""), "(more)");
  EXPECT_EQ(cut(Framing::line, "{\"method\""), "(more)");
  EXPECT_EQ(cut(Framing::line, "{}\n{}\n"), "{}");
  EXPECT_THAT(cut(Framing::line, std::string(remote::request_limit, 'x')), HasSubstr("more than 65536"));
  EXPECT_EQ(connector::reply_head(Framing::line, "{}\n", true), "");
}

TEST(Framing, JsonIsTheBodyOfAPost) {
  std::string const whole = http("POST /dns HTTP/1.1\r\nContent-Type: text/javascript; charset=utf-8", "{\"a\":1}");
  EXPECT_EQ(cut(Framing::http, whole), "{\"a\":1}");
  for (std::size_t size = 0; size < whole.size(); ++size) {
    EXPECT_EQ(cut(Framing::http, whole.substr(0, size)), "(more)") << size;
  }
  std::string body;
  auto const two = cut_request(Framing::http, whole + whole, body);
  EXPECT_EQ((*two)->octets, whole.size()) << "what follows belongs to the next request";
  EXPECT_TRUE((*two)->keep_alive);
  std::string const last = http("POST / HTTP/1.1\r\nConnection: close", "{}");
  EXPECT_FALSE(cut_request(Framing::http, last, body).value()->keep_alive);
}

TEST(Framing, AFormNamesTheMethodInItsTarget) {
  std::string const type = "\r\nContent-Type: application/x-www-form-urlencoded";
  EXPECT_EQ(cut(Framing::http, http("POST /dns/lookup.php HTTP/1.1" + type, "parameters=%7B%22a%22%3A+%22b%2Bc%22%7D")),
            "{\"method\":\"lookup\",\"parameters\":{\"a\": \"b+c\"}}");
  EXPECT_THAT(cut(Framing::http, http("POST /lookup HTTP/1.1" + type, "other=1")), HasSubstr("without parameters"));
  EXPECT_THAT(cut(Framing::http, http("POST / HTTP/1.1" + type, "parameters=%7B%7D")), HasSubstr("without a method"));
  EXPECT_THAT(cut(Framing::http, http("POST /lookup HTTP/1.1" + type, "parameters=%7")),
              HasSubstr("without parameters"));
}

TEST(Framing, WhatPowerDnsDoesNotSendIsRefused) {
  EXPECT_THAT(cut(Framing::http, http("GET /lookup/www.example.org./ANY HTTP/1.1", "")), HasSubstr("post_json=1"));
  EXPECT_THAT(cut(Framing::http, http("POST / HTTP/1.1\r\nOrigin: null", "{}")), HasSubstr("browser"));
  EXPECT_THAT(cut(Framing::http, "no HTTP at all\r\n\r\n"), HasSubstr("HTTP"));
  std::string const large = "POST / HTTP/1.1\r\nContent-Length: 17000000\r\n\r\n";
  std::string body;
  EXPECT_EQ(cut_request(Framing::http, large, body).error().code, net::errc::too_large);
  std::string const endless = "POST / HTTP/1.1\r\nX: " + std::string(20000, 'x');
  EXPECT_EQ(cut_request(Framing::http, endless, body).error().code, net::errc::too_large);
}

TEST(Framing, AReplyHasALength) {
  EXPECT_THAT(connector::reply_head(Framing::http, "{\"result\":true}\n", true),
              HasSubstr("Content-Length: 16\r\n\r\n"));
  EXPECT_THAT(connector::reply_head(Framing::http, "{}\n", false), HasSubstr("Connection: close\r\n"));
}

}  // namespace
