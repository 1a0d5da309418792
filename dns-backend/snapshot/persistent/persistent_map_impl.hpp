// The definitions of PersistentSet; include persistent_map.hpp.
//
// Threads: as persistent_map.hpp.
#pragma once

#include "dns-backend/snapshot/persistent/persistent_map.hpp"

#include <algorithm>
#include <array>
#include <memory>
#include <string_view>
#include <utility>
#include <vector>

namespace store {

template <class T, class KeyOf>
template <class Slot>
std::size_t PersistentSet<T, KeyOf>::position(NodeOf<Slot> const& node, Query key) {
  std::size_t begin = 0;
  std::size_t end = node.count;
  if constexpr (has_heads) {
    // First by heads, as if the key had the node's prefix; then one key tells whether it has.
    std::uint64_t const head = head_of(key, node.prefix);
    auto const first = node.heads.begin();
    auto const [low, high] = std::equal_range(first, first + node.count, head);
    begin = static_cast<std::size_t>(low - first);
    end = static_cast<std::size_t>(high - first);
    std::string_view const sample = low_key(node.slots[end == 0 ? 0 : end - 1]);
    int const order = key.substr(0, node.prefix).compare(sample.substr(0, node.prefix));
    if (order != 0) {
      return order < 0 ? 0 : node.count;
    }
  }
  while (begin < end) {
    std::size_t const middle = (begin + end) / 2;
    if (key < low_key(node.slots[middle])) {
      end = middle;
    } else {
      begin = middle + 1;
    }
  }
  return begin;
}

template <class T, class KeyOf>
template <class Slot>
auto PersistentSet<T, KeyOf>::make_node(Draft<Slot>& draft, std::size_t from, std::size_t to) -> Branch {
  auto node = std::make_shared<NodeOf<Slot>>();
  node->height = draft.height;
  node->count = static_cast<std::uint16_t>(to - from);
  node->prefix = common_prefix(low_key(draft.slots[from]), low_key(draft.slots[to - 1]));
  for (std::size_t i = from; i < to; ++i) {
    if constexpr (has_heads) {
      bool const same = node->prefix == draft.prefix;
      node->heads[i - from] = same ? draft.heads[i] : head_of(low_key(draft.slots[i]), node->prefix);
    }
    node->slots[i - from] = std::move(draft.slots[i]);
  }
  Item const* const lowest = low_item(node->slots[0]);
  return {lowest, std::move(node)};
}

template <class T, class KeyOf>
template <class Slot>
auto PersistentSet<T, KeyOf>::pack(Draft<Slot>& draft) -> Pieces {
  Pieces pieces;
  if (draft.count == 0) {
    return pieces;
  }
  pieces.count = draft.count <= slots_max ? 1 : 2;
  std::size_t const cut = pieces.count == 1 ? draft.count : draft.count / 2;
  pieces.branches[0] = make_node(draft, 0, cut);
  if (pieces.count == 2) {
    pieces.branches[1] = make_node(draft, cut, draft.count);
  }
  return pieces;
}

template <class T, class KeyOf>
template <class Slot>
auto PersistentSet<T, KeyOf>::splice(NodeOf<Slot> const& node, std::size_t from, std::size_t to,
                                 std::array<Slot, 2> const& replacement, std::size_t added) -> Pieces {
  Draft<Slot> draft;
  draft.height = node.height;
  draft.prefix = node.prefix;
  draft.add(node, 0, from);
  for (std::size_t i = 0; i < added; ++i) {
    draft.add(replacement[i], head_of(low_key(replacement[i]), draft.prefix));
  }
  draft.add(node, to, node.count);
  return pack(draft);
}

template <class T, class KeyOf>
template <class Slot>
auto PersistentSet<T, KeyOf>::join(NodeOf<Slot> const& left, NodeOf<Slot> const& right) -> Pieces {
  Draft<Slot> draft;
  draft.height = left.height;
  draft.prefix = std::min(left.prefix, right.prefix);
  draft.add(left, 0, left.count);
  draft.add(right, 0, right.count);
  return pack(draft);
}

template <class T, class KeyOf>
auto PersistentSet<T, KeyOf>::insert_into(Node const& node, ItemPtr const& item, bool& replaced) -> Pieces {
  if (node.height == 0) {
    Leaf const& here = leaf(node);
    std::size_t const at = position(here, key_of(*item));
    replaced = at > 0 && !(low_key(here.slots[at - 1]) < key_of(*item));
    return splice<ItemPtr>(here, replaced ? at - 1 : at, at, {item, nullptr}, 1);
  }
  Inner const& here = inner(node);
  std::size_t const at = position(here, key_of(*item));
  std::size_t const index = at == 0 ? 0 : at - 1;
  Pieces const below = insert_into(*here.slots[index].child, item, replaced);
  return splice<Branch>(here, index, index + 1, below.branches, below.count);
}

template <class T, class KeyOf>
auto PersistentSet<T, KeyOf>::insert(ItemPtr const& item) const -> PersistentSet {
  PersistentSet next;
  bool replaced = false;
  Pieces const pieces = root_ ? insert_into(*root_, item, replaced) : splice<ItemPtr>(Leaf(), 0, 0, {item, nullptr}, 1);
  next.size_ = size_ + (replaced ? 0 : 1);
  next.root_ = pieces.branches[0].child;
  if (pieces.count == 2) {
    Inner above;
    above.height = static_cast<std::uint16_t>(root_->height + 1);
    next.root_ = splice<Branch>(above, 0, 0, pieces.branches, 2).branches[0].child;
  }
  return next;
}

template <class T, class KeyOf>
auto PersistentSet<T, KeyOf>::rebalance(Inner const& node, std::size_t index, Branch const& child) -> Pieces {
  if (child.child->count >= slots_min || node.count == 1) {
    return splice<Branch>(node, index, index + 1, {child, Branch{}}, 1);
  }
  bool const with_left = index > 0;
  std::size_t const from = with_left ? index - 1 : index;
  Node const& left = with_left ? *node.slots[from].child : *child.child;
  Node const& right = with_left ? *child.child : *node.slots[index + 1].child;
  Pieces const joined = left.height == 0 ? join(leaf(left), leaf(right)) : join(inner(left), inner(right));
  return splice<Branch>(node, from, from + 2, joined.branches, joined.count);
}

template <class T, class KeyOf>
auto PersistentSet<T, KeyOf>::erase_from(Node const& node, Query key) -> Pieces {
  if (node.height == 0) {
    Leaf const& here = leaf(node);
    std::size_t const at = position(here, key);
    return splice<ItemPtr>(here, at - 1, at, {}, 0);
  }
  Inner const& here = inner(node);
  std::size_t const index = position(here, key) - 1;
  Pieces const below = erase_from(*here.slots[index].child, key);
  if (below.count == 0) {
    return splice<Branch>(here, index, index + 1, {}, 0);
  }
  return rebalance(here, index, below.branches[0]);
}

template <class T, class KeyOf>
auto PersistentSet<T, KeyOf>::erase(Query key) const -> PersistentSet {
  if (!contains(key)) {
    return *this;
  }
  PersistentSet next;
  Pieces const pieces = erase_from(*root_, key);
  if (pieces.count == 0) {
    return next;
  }
  next.size_ = size_ - 1;
  next.root_ = pieces.branches[0].child;
  while (next.root_->height > 0 && next.root_->count == 1) {
    NodePtr const only = inner(*next.root_).slots[0].child;
    next.root_ = only;
  }
  return next;
}

// Cuts `slots` into nodes of nearly equal fill.
template <class T, class KeyOf>
template <class Slot>
auto PersistentSet<T, KeyOf>::level_above(std::vector<Slot> const& slots, std::uint16_t height) -> std::vector<Branch> {
  std::size_t const nodes = (slots.size() + slots_bulk - 1) / slots_bulk;
  std::vector<Branch> branches;
  branches.reserve(nodes);
  for (std::size_t i = 0; i < nodes; ++i) {
    std::size_t const from = slots.size() * i / nodes;
    std::size_t const to = slots.size() * (i + 1) / nodes;
    Draft<Slot> draft;
    draft.height = height;
    draft.prefix = common_prefix(low_key(slots[from]), low_key(slots[to - 1]));
    for (std::size_t at = from; at < to; ++at) {
      draft.add(slots[at], head_of(low_key(slots[at]), draft.prefix));
    }
    branches.push_back(make_node(draft, 0, draft.count));
  }
  return branches;
}

template <class T, class KeyOf>
auto PersistentSet<T, KeyOf>::from_sorted(std::vector<ItemPtr> const& items) -> PersistentSet {
  PersistentSet set;
  set.size_ = items.size();
  if (items.empty()) {
    return set;
  }
  for (std::size_t i = 1; i < items.size(); ++i) {
    ASSERT(key_of(*items[i - 1]) < key_of(*items[i]));
  }
  std::vector<Branch> branches = level_above(items, 0);
  for (std::uint16_t height = 1; branches.size() > 1; ++height) {
    branches = level_above(branches, height);
  }
  set.root_ = branches.front().child;
  return set;
}

template <class T, class KeyOf>
auto PersistentSet<T, KeyOf>::high(Node const* node) -> Item const* {
  while (node->height > 0) {
    node = inner(*node).slots[node->count - 1u].child.get();
  }
  return leaf(*node).slots[node->count - 1u].get();
}

template <class T, class KeyOf>
auto PersistentSet<T, KeyOf>::first() const -> Item const* {
  return root_ ? low(*root_) : nullptr;
}

template <class T, class KeyOf>
auto PersistentSet<T, KeyOf>::last() const -> Item const* {
  return root_ ? high(root_.get()) : nullptr;
}

template <class T, class KeyOf>
auto PersistentSet<T, KeyOf>::slot_at_or_before(Query key) const -> ItemPtr const* {
  Node const* node = root_.get();
  if (node == nullptr) {
    return nullptr;
  }
  while (node->height > 0) {
    std::size_t const at = position(inner(*node), key);
    if (at == 0) {
      return nullptr;  // lowest items are exact: everything here is greater
    }
    node = inner(*node).slots[at - 1].child.get();
  }
  std::size_t const at = position(leaf(*node), key);
  return at == 0 ? nullptr : &leaf(*node).slots[at - 1];
}

template <class T, class KeyOf>
auto PersistentSet<T, KeyOf>::before(Query key) const -> Item const* {
  Item const* result = nullptr;
  // The greatest of the slots left of the path, which is nearest on the lowest level that has one.
  Node const* node = root_.get();
  while (node != nullptr) {
    if (node->height == 0) {
      Leaf const& here = leaf(*node);
      std::size_t at = position(here, key);
      if (at > 0 && !(low_key(here.slots[at - 1]) < key)) {
        --at;
      }
      return at > 0 ? here.slots[at - 1].get() : result;
    }
    Inner const& here = inner(*node);
    std::size_t const at = position(here, key);
    if (at == 0) {
      return result;
    }
    if (at > 1) {
      result = high(here.slots[at - 2].child.get());
    }
    node = here.slots[at - 1].child.get();
  }
  return result;
}

template <class T, class KeyOf>
auto PersistentSet<T, KeyOf>::upper_bound(Query key) const -> Item const* {
  Item const* result = nullptr;
  Node const* node = root_.get();
  while (node != nullptr) {
    if (node->height == 0) {
      Leaf const& here = leaf(*node);
      std::size_t const at = position(here, key);
      return at < here.count ? here.slots[at].get() : result;
    }
    Inner const& here = inner(*node);
    std::size_t const at = position(here, key);
    if (at < here.count) {
      result = here.slots[at].low;
    }
    if (at == 0) {
      return result;
    }
    node = here.slots[at - 1].child.get();
  }
  return result;
}

template <class T, class KeyOf>
auto PersistentSet<T, KeyOf>::lower_bound(Query key) const -> Item const* {
  Item const* const item = predecessor(key);
  return item != nullptr && !(key_of(*item) < key) ? item : upper_bound(key);
}

template <class T, class KeyOf>
template <class Visit>
bool PersistentSet<T, KeyOf>::walk(Node const& node, Visit const& visit) {
  for (std::size_t i = 0; i < node.count; ++i) {
    bool const go_on = node.height == 0 ? visit(leaf(node).slots[i]) : walk(*inner(node).slots[i].child, visit);
    if (!go_on) {
      return false;
    }
  }
  return true;
}

template <class T, class KeyOf>
template <class Visit>
bool PersistentSet<T, KeyOf>::walk_from(Node const& node, Query from, Visit const& visit) {
  if (node.height == 0) {
    Leaf const& here = leaf(node);
    std::size_t at = position(here, from);
    if (at > 0 && !(low_key(here.slots[at - 1]) < from)) {
      --at;
    }
    for (; at < here.count; ++at) {
      if (!visit(here.slots[at])) {
        return false;
      }
    }
    return true;
  }
  Inner const& here = inner(node);
  std::size_t const at = position(here, from);
  if (at > 0 && !walk_from(*here.slots[at - 1].child, from, visit)) {
    return false;
  }
  for (std::size_t i = at; i < here.count; ++i) {
    if (!walk(*here.slots[i].child, visit)) {
      return false;
    }
  }
  return true;
}

template <class T, class KeyOf>
template <class Slot>
bool PersistentSet<T, KeyOf>::check_heads(NodeOf<Slot> const& node) {
  bool same = node.prefix == common_prefix(low_key(node.slots[0]), low_key(node.slots[node.count - 1U]));
  for (std::size_t i = 0; has_heads && i < node.count; ++i) {
    same = same && node.heads[has_heads ? i : 0] == head_of(low_key(node.slots[i]), node.prefix);
  }
  return same;
}

template <class T, class KeyOf>
bool PersistentSet<T, KeyOf>::check(Node const& node, bool root, Item const*& previous, std::size_t& seen) {
  if (node.count == 0 || node.count > slots_max || (!root && node.count < slots_min)) {
    return false;
  }
  if (!(node.height == 0 ? check_heads(leaf(node)) : check_heads(inner(node)))) {
    return false;
  }
  for (std::size_t i = 0; i < node.count; ++i) {
    if (node.height == 0) {
      Item const* const item = leaf(node).slots[i].get();
      if (item == nullptr || (previous != nullptr && !(key_of(*previous) < key_of(*item)))) {
        return false;
      }
      previous = item;
      ++seen;
      continue;
    }
    Branch const& branch = inner(node).slots[i];
    if (branch.child->height + 1 != node.height || branch.low != low(*branch.child) ||
        !check(*branch.child, false, previous, seen)) {
      return false;
    }
  }
  return true;
}

template <class T, class KeyOf>
bool PersistentSet<T, KeyOf>::well_formed() const {
  Item const* previous = nullptr;
  std::size_t seen = 0;
  return root_ == nullptr ? size_ == 0 : check(*root_, true, previous, seen) && seen == size_;
}

}  // namespace store
