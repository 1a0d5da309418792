#include "dns-backend/remote/transaction.hpp"

#include <algorithm>

namespace remote {
namespace {

constexpr std::size_t record_overhead = 128;  // what a text and, mostly, a node of the tree take beside the octets

}  // namespace

base::Result<void> Transaction::spoil(errc code, std::string why) {
  if (broken_.empty()) {
    broken_ = why;
  }
  return base::fail(code, std::move(why));
}

base::Result<void> Transaction::add(dns::Name const& owner, dns::RRType type, Record const& record) {
  octets_ += owner.key().size() + record.content.size() + record_overhead;
  if (octets_ > octets_max) {
    return spoil(errc::too_large, "a transaction of more than " + std::to_string(octets_max) + " octets of records");
  }
  base::Result<std::string> content = dns::normalize_content(type, record.content);
  if (!content) {
    return spoil(errc::bad_request, owner.text() + " " + dns::to_text(type) + ": " + content.error().what());
  }
  dns::RRset& rrset = rrsets_[{owner, type}];
  rrset.type = type;
  rrset.ttl = record.ttl;
  auto const place = std::lower_bound(rrset.contents.begin(), rrset.contents.end(), *content);
  if (place == rrset.contents.end() || *place != *content) {
    rrset.contents.insert(place, std::move(*content));
  }
  return {};
}

base::Result<void> Transaction::feed(Record const& record) {
  if (record.qtype.empty()) {
    return {};  // an empty non-terminal: the store derives those itself
  }
  base::Result<dns::Name> const owner = dns::Name::parse(record.qname);
  if (!owner || !owner->is_within(apex_)) {
    return spoil(errc::bad_request, "'" + record.qname + "' is no name inside " + apex_.text());
  }
  base::Result<dns::RRType> const type = dns::parse_type(record.qtype);
  if (!type) {
    return spoil(errc::bad_request, owner->text() + ": " + type.error().what());
  }
  return add(*owner, *type, record);
}

base::Result<void> Transaction::replace(ReplaceRRset const& replacement, store::EntryPtr const& present) {
  if (!replacement.owner || !replacement.owner->is_within(apex_)) {
    return spoil(errc::bad_request, "an RRset whose owner is outside " + apex_.text());
  }
  if (!replacement.type || (*replacement.type == dns::type_any && !replacement.records.empty())) {
    return spoil(errc::bad_request, replacement.owner->text() + ": an RRset of an unknown type");
  }
  dns::Name const& owner = *replacement.owner;
  auto const forget = [&](dns::RRType type) {
    dns::RRset& rrset = rrsets_[{owner, type}];
    rrset.type = type;
    rrset.contents.clear();
  };
  if (*replacement.type == dns::type_any) {
    // What the zone has and what this transaction added meanwhile.
    store::EntryPtr const now = overlay(owner, present);
    for (std::size_t i = 0; now && i < now->rrsets.size(); ++i) {
      forget(now->rrsets[i].type);
    }
    return {};
  }
  forget(*replacement.type);
  for (Record const& record : replacement.records) {
    if (base::Result<void> added = add(owner, *replacement.type, record); !added) {
      return added;
    }
  }
  return {};
}

store::EntryPtr Transaction::overlay(dns::Name const& name, store::EntryPtr stored) const {
  auto const first = rrsets_.lower_bound({name, dns::RRType{}});
  if (whole_ || first == rrsets_.end() || !(first->first.first == name)) {
    return stored;
  }
  auto changed = stored ? std::make_shared<store::Entry>(*stored) : std::make_shared<store::Entry>();
  changed->key = name.key();
  for (auto it = first; it != rrsets_.end() && it->first.first == name; ++it) {
    auto& rrsets = changed->rrsets;
    rrsets.erase(
        std::remove_if(rrsets.begin(), rrsets.end(), [&](auto const& one) { return one.type == it->second.type; }),
        rrsets.end());
    if (!it->second.contents.empty()) {
      rrsets.push_back(it->second);
    }
  }
  // A name emptied by this transaction is gone, unless it was an empty non-terminal before.
  bool const gone = changed->is_ent() && !(stored && stored->is_ent());
  return gone ? nullptr : changed;
}

std::vector<dns::OwnedRRset> Transaction::take() {
  std::vector<dns::OwnedRRset> list;
  list.reserve(rrsets_.size());
  for (auto& [key, rrset] : rrsets_) {
    list.push_back({key.first, std::move(rrset)});
  }
  rrsets_.clear();
  return list;
}

}  // namespace remote
