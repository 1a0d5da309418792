// Cloudflare's DNS API in this process: records with state, paging, transactional batches, error envelopes, and
// failures on demand. Its rules are the ones of the real API that a client can trip over.
#pragma once

#include "base/http_server/http_server.hpp"

#include <boost/json.hpp>

#include <map>
#include <string>
#include <vector>

namespace cloudflare::test {

class FakeCloudflare {
 public:
  explicit FakeCloudflare(net::Router& router) {
    router.add("GET", "/client/v4/zones/{zone}/dns_records",
               [this](net::HttpRequest request) { return answer(list(request), request); });
    router.add("POST", "/client/v4/zones/{zone}/dns_records/batch",
               [this](net::HttpRequest request) { return answer(batch(request), request); });
  }

  using Record = boost::json::object;
  std::map<std::string, Record> records;  // by id
  std::string token = "secret";
  unsigned lists = 0;
  unsigned batches = 0;
  unsigned operations = 0;
  unsigned refuse_next = 0;  // how many requests get 429 with Retry-After 1
  unsigned fail_next = 0;    // how many get 500
  std::string poisoned;      // content that is always rejected

  void put(std::string name, std::string type, std::string content, std::string comment) {
    std::string const id = next_id();
    records[id] =
        Record{{"id", id},   {"name", std::move(name)}, {"type", std::move(type)},      {"content", std::move(content)},
               {"ttl", 300}, {"proxied", false},        {"comment", std::move(comment)}};
  }

 private:
  static net::HttpResponse envelope(int status, boost::json::value result, boost::json::array errors,
                                    boost::json::value info) {
    boost::json::object out{{"success", status < 400},
                            {"errors", std::move(errors)},
                            {"messages", boost::json::array()},
                            {"result", std::move(result)}};
    if (!info.is_null()) {
      out["result_info"] = std::move(info);
    }
    return net::HttpResponse::json(status, boost::json::serialize(out));
  }
  static net::HttpResponse failure(int status, int code, std::string message) {
    return envelope(status, nullptr, {boost::json::object{{"code", code}, {"message", std::move(message)}}}, nullptr);
  }

  net::Task<net::HttpResponse> answer(net::HttpResponse response, net::HttpRequest request) {
    if (request.headers.get("Authorization") != "Bearer " + token) {
      co_return failure(403, 10000, "Authentication error");
    }
    co_return response;
  }
  // Requests that are refused change nothing.
  bool refused(net::HttpResponse& out) {
    if (refuse_next > 0) {
      --refuse_next;
      out = failure(429, 10429, "rate limited");
      out.headers.set("Retry-After", "1");
      return true;
    }
    if (fail_next > 0) {
      --fail_next;
      out = failure(500, 10500, "internal");
      return true;
    }
    return false;
  }

  net::HttpResponse list(net::HttpRequest const& request) {
    ++lists;
    net::HttpResponse out;
    if (refused(out)) {
      return out;
    }
    std::size_t const page = std::stoul(request.query.at("page"));
    std::size_t const per_page = std::stoul(request.query.at("per_page"));
    boost::json::array result;
    std::size_t index = 0;
    for (auto const& [id, record] : records) {
      if (index / per_page + 1 == page) {
        result.push_back(record);
      }
      ++index;
    }
    boost::json::object const info{{"page", page},
                                   {"per_page", per_page},
                                   {"count", result.size()},
                                   {"total_count", records.size()},
                                   {"total_pages", (records.size() + per_page - 1) / per_page}};
    return envelope(200, std::move(result), {}, info);
  }

  net::HttpResponse batch(net::HttpRequest const& request) {
    ++batches;
    net::HttpResponse out;
    if (refused(out)) {
      return out;
    }
    boost::json::object const body = boost::json::parse(request.body).as_object();
    auto const before = records;
    unsigned done = 0;
    for (auto const* const part : {"deletes", "patches", "posts"}) {
      if (!body.contains(part)) {
        continue;
      }
      for (auto const& operation : body.at(part).as_array()) {
        std::string const problem = apply(part, operation.as_object());
        if (!problem.empty()) {
          records = before;
          return failure(400, 81057, problem);
        }
        ++done;
      }
    }
    if (done > 200) {
      records = before;
      return failure(400, 81000, "too many operations");
    }
    operations += done;
    return envelope(200, boost::json::object(), {}, nullptr);
  }

  std::string apply(std::string const& part, Record operation) {
    if (part == "deletes") {
      return records.erase(std::string(operation.at("id").as_string())) == 1 ? "" : "record does not exist";
    }
    std::string id;
    if (part == "patches") {
      id = std::string(operation.at("id").as_string());
      if (!records.contains(id)) {
        return "record does not exist";
      }
      Record merged = records[id];
      for (auto const& [key, value] : operation) {
        merged[key] = value;
      }
      operation = std::move(merged);
    } else {
      id = next_id();
      operation["id"] = id;
      operation["proxied"] = false;
    }
    if (!operation.contains("content")) {
      operation["content"] = boost::json::serialize(operation.at("data"));
    }
    if (operation.at("content").as_string() == poisoned) {
      return "content is invalid";
    }
    for (auto const& [other_id, other] : records) {
      bool const same_name = other_id != id && other.at("name") == operation.at("name");
      if (same_name && other.at("type") == operation.at("type") && other.at("content") == operation.at("content")) {
        return "identical record exists";
      }
      if (same_name && (other.at("type") == "CNAME" || operation.at("type") == "CNAME")) {
        return "CNAME excludes other records";
      }
    }
    records[id] = std::move(operation);
    return "";
  }

  std::string next_id() {
    std::string digits = std::to_string(++last_id_);
    return std::string(32 - digits.size(), '0') + digits;
  }
  unsigned last_id_ = 0;
};

}  // namespace cloudflare::test
