#include "dns-backend/api/body.hpp"

#include <boost/json/parse.hpp>

namespace api {

namespace json = boost::json;

Body::Body(std::string_view text) : own_(std::make_shared<base::Problems>()), problems_(own_.get()) {
  boost::system::error_code bad;
  value_ = json::parse(text, bad);
  if (bad || !value_.is_object()) {
    bool const deep = bad == json::error::too_deep;
    std::string const hint = deep ? "32 levels are the most" : bad ? bad.message() : "{...}";
    problems_->push_back({{"request body", 0, 0}, "", deep ? "is nested too deeply" : "is no JSON object", hint});
    value_ = json::object();
    broken_ = true;
  }
}

Body::Body(json::value const& value, std::string path, base::Problems& problems)
    : value_(value), path_(std::move(path)), problems_(&problems) {}

std::string Body::path_of(std::string_view key) const {
  return path_.empty() ? std::string(key) : path_ + "." + std::string(key);
}

void Body::fail(std::string_view key, std::string message, std::string hint) {
  problems_->push_back({{"request body", 0, 0}, path_of(key), std::move(message), std::move(hint)});
}

json::value const* Body::member(std::string_view key, bool required) {
  known_.insert(std::string(key));
  auto const* const found = value_.get_object().if_contains(key);
  if (found == nullptr && required && !broken_) {
    fail(key, "is missing", "the body has to have it");
  }
  return found;
}

std::string Body::text(std::string_view key) {
  auto const* const found = member(key, true);
  if (found == nullptr) {
    return {};
  }
  if (!found->is_string() || found->get_string().empty()) {
    fail(key, "must be a text that is not empty", "for instance \"" + std::string(key) + "\": \"...\"");
    return {};
  }
  return std::string(found->get_string());
}

std::string Body::text(std::string_view key, std::string fallback) {
  auto const* const found = member(key, false);
  if (found == nullptr) {
    return fallback;
  }
  if (!found->is_string()) {
    fail(key, "must be a text", "for instance \"" + std::string(key) + "\": \"...\"");
    return fallback;
  }
  return std::string(found->get_string());
}

std::int64_t Body::integer(std::string_view key, std::int64_t least, std::int64_t most) {
  auto const* const found = member(key, true);
  if (found == nullptr) {
    return least;
  }
  if (!found->is_int64() || found->get_int64() < least || found->get_int64() > most) {
    fail(key, "must be a whole number from " + std::to_string(least) + " to " + std::to_string(most),
         std::to_string(least));
    return least;
  }
  return found->get_int64();
}

std::int64_t Body::integer(std::string_view key, std::int64_t least, std::int64_t most, std::int64_t fallback) {
  return member(key, false) == nullptr ? fallback : integer(key, least, most);
}

std::vector<std::string> Body::texts(std::string_view key, bool required) {
  std::vector<std::string> out;
  auto const* const found = member(key, required);
  if (found == nullptr) {
    return out;
  }
  if (!found->is_array()) {
    fail(key, "must be a list of texts", "for instance [\"...\"]");
    return out;
  }
  for (auto const& item : found->get_array()) {
    if (!item.is_string()) {
      fail(std::string(key) + "[" + std::to_string(out.size()) + "]", "must be a text", "\"...\"");
      continue;
    }
    out.emplace_back(item.get_string());
  }
  return out;
}

std::vector<Body> Body::objects(std::string_view key) {
  std::vector<Body> out;
  auto const* const found = member(key, true);
  if (found == nullptr) {
    return out;
  }
  if (!found->is_array()) {
    fail(key, "must be a list of objects", "for instance [{...}]");
    return out;
  }
  for (std::size_t i = 0; i < found->get_array().size(); ++i) {
    std::string const item = std::string(key) + "[" + std::to_string(i) + "]";
    if (!found->get_array()[i].is_object()) {
      fail(item, "must be an object", "{...}");
      continue;
    }
    out.emplace_back(found->get_array()[i], path_of(item), *problems_);
  }
  return out;
}

std::string Body::known() const {
  std::string names;
  for (std::string const& one : known_) {
    names += (names.empty() ? "" : ", ") + one;
  }
  return names.empty() ? "none" : names;
}

void Body::finish() {
  for (auto const& member_of : value_.get_object()) {
    if (!known_.contains(std::string_view(member_of.key()))) {
      fail(member_of.key(), "is not known", "leave it out; known are " + known());
    }
  }
}

}  // namespace api
