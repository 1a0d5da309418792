#include "dns-backend/cloudflare/client.hpp"

#include "dns-backend/cloudflare/wanted.hpp"

#include <algorithm>
#include <charconv>
#include <optional>

namespace cloudflare {
namespace {

std::optional<std::int64_t> number(std::string_view text) {
  std::int64_t value = 0;
  auto const [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (error != std::errc() || value < 0) {
    return std::nullopt;
  }
  return value;
}

// `"default";r=50;t=30` and the field "t" give 30.
std::optional<std::int64_t> field(std::string_view header, std::string_view name) {
  while (!header.empty()) {
    std::size_t const end = header.find(';');
    std::string_view part = header.substr(0, end);
    while (part.starts_with(' ')) {
      part.remove_prefix(1);
    }
    if (part.starts_with(name) && part.substr(name.size()).starts_with('=')) {
      return number(part.substr(name.size() + 1));
    }
    header.remove_prefix(end == std::string_view::npos ? header.size() : end + 1);
  }
  return std::nullopt;
}

void append_list(std::string& out, std::string_view name, std::vector<std::string> const& items) {
  if (items.empty()) {
    return;
  }
  out += (out.size() > 1 ? ",\"" : "\"") + std::string(name) + "\":[";
  for (std::size_t i = 0; i < items.size(); ++i) {
    out += (i == 0 ? "" : ",") + items[i];
  }
  out += "]";
}

base::Failure wrong_zone(std::string const& zone_id) {
  return base::fail(errc::rejected, "'" + zone_id + "' is no zone id of Cloudflare (32 hex digits)");
}

}  // namespace

net::Task<base::Result<net::HttpResponse>> Client::send(std::string url, std::string method, std::string body) {
  net::HttpRequest request;
  request.method = std::move(method);
  request.headers.set("Authorization", "Bearer " + settings_.token);
  if (!body.empty()) {
    request.headers.set("Content-Type", "application/json");
    request.body = std::move(body);
  }
  auto response = co_await http_.send(std::move(url), std::move(request), settings_.deadline);
  if (response) {
    auto const wait = advised_wait(*response);
    if (wait.count() > 0) {
      quiet_until_ = std::chrono::steady_clock::now() + wait;
    }
  }
  co_return response;
}

net::Task<base::Result<std::vector<Record>>> Client::list(std::string zone_id) {
  if (!is_zone_id(zone_id)) {
    co_return wrong_zone(zone_id);
  }
  std::vector<Record> records;
  for (unsigned page = 1; page <= settings_.pages_max; ++page) {
    std::string url = settings_.base_url + "/zones/" + zone_id + "/dns_records?page=" + std::to_string(page) +
                      "&per_page=" + std::to_string(settings_.per_page);
    auto response = co_await send(std::move(url), "GET", "");
    if (!response) {
      co_return response.error();
    }
    auto parsed = parse_page(response->status, response->body);
    if (!parsed) {
      co_return parsed.error();
    }
    bool const last = parsed->records.empty() || static_cast<std::int64_t>(page) >= parsed->total_pages;
    std::move(parsed->records.begin(), parsed->records.end(), std::back_inserter(records));
    if (last) {
      co_return records;
    }
  }
  // A part must not pass for the whole: what is missing from it would be posted again.
  co_return base::fail(errc::bad_message, "more than " + std::to_string(settings_.pages_max) + " pages of records");
}

net::Task<base::Result<void>> Client::apply(std::string zone_id, Batch batch) {
  if (!is_zone_id(zone_id)) {
    co_return wrong_zone(zone_id);
  }
  std::string url = settings_.base_url + "/zones/" + zone_id + "/dns_records/batch";
  auto response = co_await send(std::move(url), "POST", to_json(batch));
  if (!response) {
    co_return response.error();
  }
  co_return parse_done(response->status, response->body);
}

std::chrono::milliseconds Client::pause(std::chrono::steady_clock::time_point now) const {
  return std::max(std::chrono::milliseconds(0),
                  std::chrono::duration_cast<std::chrono::milliseconds>(quiet_until_ - now));
}

std::chrono::seconds advised_wait(net::HttpResponse const& response) {
  constexpr int too_many = 429;
  constexpr std::int64_t refused_for = 300;
  constexpr std::int64_t longest = 600;
  std::string_view const limit = response.headers.get("Ratelimit");
  auto const until_reset = field(limit, "t");
  std::int64_t wait = 0;
  if (response.status == too_many) {
    auto const retry_after = number(response.headers.get("Retry-After"));
    wait = retry_after.value_or(until_reset.value_or(refused_for));
    wait = std::max<std::int64_t>(1, wait);
  } else if (field(limit, "r") == 0) {
    wait = until_reset.value_or(0);
  }
  return std::chrono::seconds(std::min(wait, longest));
}

std::string to_json(Batch const& batch) {
  std::vector<std::string> deletes;
  for (std::string const& id : batch.deletes) {
    deletes.push_back("{\"id\":\"" + id + "\"}");
  }
  auto const records = [](std::vector<Record> const& from) {
    std::vector<std::string> out;
    std::transform(from.begin(), from.end(), std::back_inserter(out),
                   [](Record const& record) { return to_json(record); });
    return out;
  };
  std::string out = "{";
  append_list(out, "deletes", deletes);
  append_list(out, "patches", records(batch.patches));
  append_list(out, "posts", records(batch.posts));
  return out + "}";
}

}  // namespace cloudflare
