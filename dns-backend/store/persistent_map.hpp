// An immutable ordered map: a change yields a new map that shares everything but the path to what changed.
//
// A B+ tree with path copying. Nodes hold up to 32 slots; a slot points to an Item (key and value together), so that
// copying a node copies reference counts and never keys. A slot of an inner node carries the lowest item of its
// subtree; that is exact at all times, hence an erased item is never kept alive by a node that merely steers by it.
//
// Cost with n items: find O(log n); insert and erase copy log32(n) nodes; for_each and from_sorted O(n).
// Pointers handed out stay good as long as any map that holds the item does. With K = std::string a lookup takes a
// string_view and makes no string.
//
// Threads: immutable value; maps that share nodes may be read, copied and dropped from any thread.
#pragma once

#include "base/result/result.hpp"

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <type_traits>
#include <utility>
#include <vector>

namespace store {

template <class K, class V>
class PersistentMap {
 public:
  struct Item {
    K key;
    V value;
  };
  // What a lookup takes: no std::string is made from a string_view.
  using Query = std::conditional_t<std::is_same_v<K, std::string>, std::string_view, K const&>;

  PersistentMap() = default;

  // O(n). The keys must ascend strictly (ASSERT).
  static PersistentMap from_sorted(std::vector<Item> items);

  [[nodiscard]] std::size_t size() const { return size_; }
  [[nodiscard]] bool empty() const { return size_ == 0; }

  // The value at `key`, or nullptr.
  [[nodiscard]] V const* find(Query key) const {
    Item const* const item = predecessor(key);
    return item != nullptr && !(Query(item->key) < key) ? &item->value : nullptr;
  }
  [[nodiscard]] bool contains(Query key) const { return find(key) != nullptr; }

  [[nodiscard]] Item const* first() const;                 // lowest item, nullptr when empty
  [[nodiscard]] Item const* last() const;                  // highest item, nullptr when empty
  [[nodiscard]] Item const* predecessor(Query key) const;  // greatest <= key, or nullptr (the caller wraps)
  [[nodiscard]] Item const* before(Query key) const;       // greatest < key, or nullptr
  [[nodiscard]] Item const* lower_bound(Query key) const;  // smallest >= key, or nullptr
  [[nodiscard]] Item const* upper_bound(Query key) const;  // smallest > key, or nullptr (the caller wraps)

  // A map with `value` at `key`, whether or not there was one. This map is unchanged.
  [[nodiscard]] PersistentMap insert(K key, V value) const;
  // A map without `key`; without such an item, this very map.
  [[nodiscard]] PersistentMap erase(Query key) const;

  // In order; visit(K const&, V const&).
  template <class Visit>
  void for_each(Visit&& visit) const {
    if (root_) {
      walk(*root_, [&visit](Item const& item) {
        visit(item.key, item.value);
        return true;
      });
    }
  }
  // In order from the first key >= `from` while visit(K const&, V const&) returns true.
  template <class Visit>
  void for_each_from(Query from, Visit&& visit) const {
    if (root_) {
      walk_from(*root_, from, [&visit](Item const& item) { return visit(item.key, item.value); });
    }
  }

  // True when both are one tree: nothing changed in between.
  [[nodiscard]] bool same_as(PersistentMap const& other) const { return root_ == other.root_; }
  // Checks order, fill and the steering items; for tests.
  [[nodiscard]] bool well_formed() const;

 private:
  static constexpr std::size_t slots_max = 32;
  static constexpr std::size_t slots_min = 8;    // below, a node is merged with a neighbour
  static constexpr std::size_t slots_bulk = 24;  // from_sorted leaves room for later inserts

  using ItemPtr = std::shared_ptr<Item const>;
  struct Node {
    std::uint16_t height = 0;  // 0: a leaf
    std::uint16_t count = 0;
  };
  using NodePtr = std::shared_ptr<Node const>;
  struct Branch {
    ItemPtr low;
    NodePtr child;
  };
  template <class Slot>
  struct NodeOf : Node {
    std::array<Slot, slots_max> slots;
  };
  using Leaf = NodeOf<ItemPtr>;
  using Inner = NodeOf<Branch>;

  // What became of a node that was changed: nothing left, one node, or two after a split.
  struct Pieces {
    std::array<Branch, 2> branches;
    std::size_t count = 0;
  };

  static Leaf const& leaf(Node const& node) { return static_cast<Leaf const&>(node); }
  static Inner const& inner(Node const& node) { return static_cast<Inner const&>(node); }
  static ItemPtr const& low_of(ItemPtr const& slot) { return slot; }
  static ItemPtr const& low_of(Branch const& slot) { return slot.low; }

  // Index of the last slot whose lowest key is <= key, plus one; 0 when all are greater.
  template <class N>
  static std::size_t position(N const& node, Query key) {
    std::size_t low = 0;
    std::size_t high = node.count;
    while (low < high) {
      std::size_t const middle = (low + high) / 2;
      if (key < Query(low_of(node.slots[middle])->key)) {
        high = middle;
      } else {
        low = middle + 1;
      }
    }
    return low;
  }

  template <class Slot, class Iterator>
  static Branch make_node(Iterator begin, Iterator end, std::uint16_t height) {
    auto node = std::make_shared<NodeOf<Slot>>();
    node->height = height;
    node->count = static_cast<std::uint16_t>(end - begin);
    std::copy(begin, end, node->slots.begin());
    return {low_of(node->slots[0]), std::move(node)};
  }

  // `node` with the slots [from, to) replaced by the `added` first of `replacement`.
  template <class Slot>
  static Pieces splice(NodeOf<Slot> const& node, std::size_t from, std::size_t to,
                       std::array<Slot, 2> const& replacement, std::size_t added);
  // The slots of two neighbours, as one node when they fit.
  template <class Slot>
  static Pieces join(NodeOf<Slot> const& left, NodeOf<Slot> const& right);
  template <class Slot>
  static Pieces pack(Slot const* begin, Slot const* end, std::uint16_t height);

  static Pieces insert_into(Node const& node, ItemPtr const& item, bool& replaced);
  static Pieces erase_from(Node const& node, Query key);  // the key is there
  static Pieces rebalance(Inner const& node, std::size_t index, Branch const& child);

  template <class Visit>
  static bool walk(Node const& node, Visit const& visit);
  template <class Visit>
  static bool walk_from(Node const& node, Query from, Visit const& visit);
  static Item const* low(Node const& node) {
    return node.height == 0 ? leaf(node).slots[0].get() : inner(node).slots[0].low.get();
  }
  static Item const* high(Node const* node);
  static bool check(Node const& node, bool root, Item const*& previous, std::size_t& seen);

  NodePtr root_;
  std::size_t size_ = 0;
};

template <class K, class V>
template <class Slot>
auto PersistentMap<K, V>::pack(Slot const* begin, Slot const* end, std::uint16_t height) -> Pieces {
  Pieces pieces;
  auto const total = static_cast<std::size_t>(end - begin);
  if (total == 0) {
    return pieces;
  }
  if (total <= slots_max) {
    pieces.branches[0] = make_node<Slot>(begin, end, height);
    pieces.count = 1;
    return pieces;
  }
  Slot const* const middle = begin + total / 2;
  pieces.branches[0] = make_node<Slot>(begin, middle, height);
  pieces.branches[1] = make_node<Slot>(middle, end, height);
  pieces.count = 2;
  return pieces;
}

template <class K, class V>
template <class Slot>
auto PersistentMap<K, V>::splice(NodeOf<Slot> const& node, std::size_t from, std::size_t to,
                                 std::array<Slot, 2> const& replacement, std::size_t added) -> Pieces {
  std::array<Slot, slots_max + 2> slots;
  auto const begin = node.slots.begin();
  auto out = std::copy(begin, begin + static_cast<std::ptrdiff_t>(from), slots.begin());
  out = std::copy(replacement.begin(), replacement.begin() + static_cast<std::ptrdiff_t>(added), out);
  out = std::copy(begin + static_cast<std::ptrdiff_t>(to), begin + node.count, out);
  return pack<Slot>(slots.data(), slots.data() + (out - slots.begin()), node.height);
}

template <class K, class V>
template <class Slot>
auto PersistentMap<K, V>::join(NodeOf<Slot> const& left, NodeOf<Slot> const& right) -> Pieces {
  std::array<Slot, 2 * slots_max> slots;
  auto out = std::copy(left.slots.begin(), left.slots.begin() + left.count, slots.begin());
  out = std::copy(right.slots.begin(), right.slots.begin() + right.count, out);
  return pack<Slot>(slots.data(), slots.data() + (out - slots.begin()), left.height);
}

template <class K, class V>
auto PersistentMap<K, V>::insert_into(Node const& node, ItemPtr const& item, bool& replaced) -> Pieces {
  if (node.height == 0) {
    Leaf const& here = leaf(node);
    std::size_t const at = position(here, item->key);
    replaced = at > 0 && !(here.slots[at - 1]->key < item->key);
    return splice<ItemPtr>(here, replaced ? at - 1 : at, at, {item, nullptr}, 1);
  }
  Inner const& here = inner(node);
  std::size_t const at = position(here, item->key);
  std::size_t const index = at == 0 ? 0 : at - 1;
  Pieces const below = insert_into(*here.slots[index].child, item, replaced);
  return splice<Branch>(here, index, index + 1, below.branches, below.count);
}

template <class K, class V>
auto PersistentMap<K, V>::insert(K key, V value) const -> PersistentMap {
  auto const item = std::make_shared<Item const>(Item{std::move(key), std::move(value)});
  PersistentMap next;
  bool replaced = false;
  Pieces pieces = root_ ? insert_into(*root_, item, replaced) : pack<ItemPtr>(&item, &item + 1, 0);
  next.size_ = size_ + (replaced ? 0 : 1);
  next.root_ = pieces.count == 1 ? pieces.branches[0].child
                                 : make_node<Branch>(pieces.branches.begin(), pieces.branches.end(),
                                                     static_cast<std::uint16_t>(root_->height + 1))
                                       .child;
  return next;
}

template <class K, class V>
auto PersistentMap<K, V>::rebalance(Inner const& node, std::size_t index, Branch const& child) -> Pieces {
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

template <class K, class V>
auto PersistentMap<K, V>::erase_from(Node const& node, Query key) -> Pieces {
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

template <class K, class V>
auto PersistentMap<K, V>::erase(Query key) const -> PersistentMap {
  if (!contains(key)) {
    return *this;
  }
  PersistentMap next;
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

template <class K, class V>
auto PersistentMap<K, V>::from_sorted(std::vector<Item> items) -> PersistentMap {
  PersistentMap map;
  map.size_ = items.size();
  if (items.empty()) {
    return map;
  }
  // Cuts `slots` into nodes of nearly equal fill.
  auto const level = [](auto const& slots, std::uint16_t height) {
    using Slot = typename std::remove_cvref_t<decltype(slots)>::value_type;
    std::size_t const nodes = (slots.size() + slots_bulk - 1) / slots_bulk;
    std::vector<Branch> branches;
    branches.reserve(nodes);
    for (std::size_t i = 0; i < nodes; ++i) {
      Slot const* const begin = slots.data() + slots.size() * i / nodes;
      Slot const* const end = slots.data() + slots.size() * (i + 1) / nodes;
      branches.push_back(make_node<Slot>(begin, end, height));
    }
    return branches;
  };
  std::vector<ItemPtr> pointers;
  pointers.reserve(items.size());
  for (Item& item : items) {
    pointers.push_back(std::make_shared<Item const>(std::move(item)));
    ASSERT(pointers.size() < 2 || pointers[pointers.size() - 2]->key < pointers.back()->key);
  }
  std::vector<Branch> branches = level(pointers, 0);
  for (std::uint16_t height = 1; branches.size() > 1; ++height) {
    branches = level(branches, height);
  }
  map.root_ = branches.front().child;
  return map;
}

template <class K, class V>
auto PersistentMap<K, V>::high(Node const* node) -> Item const* {
  while (node->height > 0) {
    node = inner(*node).slots[node->count - 1u].child.get();
  }
  return leaf(*node).slots[node->count - 1u].get();
}

template <class K, class V>
auto PersistentMap<K, V>::first() const -> Item const* {
  return root_ ? low(*root_) : nullptr;
}

template <class K, class V>
auto PersistentMap<K, V>::last() const -> Item const* {
  return root_ ? high(root_.get()) : nullptr;
}

template <class K, class V>
auto PersistentMap<K, V>::predecessor(Query key) const -> Item const* {
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
  return at == 0 ? nullptr : leaf(*node).slots[at - 1].get();
}

template <class K, class V>
auto PersistentMap<K, V>::before(Query key) const -> Item const* {
  Item const* result = nullptr;
  // The greatest of the slots left of the path, which is nearest on the lowest level that has one.
  Node const* node = root_.get();
  while (node != nullptr) {
    if (node->height == 0) {
      Leaf const& here = leaf(*node);
      std::size_t at = position(here, key);
      if (at > 0 && !(Query(here.slots[at - 1]->key) < key)) {
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

template <class K, class V>
auto PersistentMap<K, V>::upper_bound(Query key) const -> Item const* {
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
      result = here.slots[at].low.get();
    }
    if (at == 0) {
      return result;
    }
    node = here.slots[at - 1].child.get();
  }
  return result;
}

template <class K, class V>
auto PersistentMap<K, V>::lower_bound(Query key) const -> Item const* {
  Item const* const item = predecessor(key);
  return item != nullptr && !(Query(item->key) < key) ? item : upper_bound(key);
}

template <class K, class V>
template <class Visit>
bool PersistentMap<K, V>::walk(Node const& node, Visit const& visit) {
  for (std::size_t i = 0; i < node.count; ++i) {
    bool const go_on = node.height == 0 ? visit(*leaf(node).slots[i]) : walk(*inner(node).slots[i].child, visit);
    if (!go_on) {
      return false;
    }
  }
  return true;
}

template <class K, class V>
template <class Visit>
bool PersistentMap<K, V>::walk_from(Node const& node, Query from, Visit const& visit) {
  if (node.height == 0) {
    Leaf const& here = leaf(node);
    std::size_t at = position(here, from);
    if (at > 0 && !(Query(here.slots[at - 1]->key) < from)) {
      --at;
    }
    for (; at < here.count; ++at) {
      if (!visit(*here.slots[at])) {
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

template <class K, class V>
bool PersistentMap<K, V>::check(Node const& node, bool root, Item const*& previous, std::size_t& seen) {
  if (node.count == 0 || node.count > slots_max || (!root && node.count < slots_min)) {
    return false;
  }
  for (std::size_t i = 0; i < node.count; ++i) {
    if (node.height == 0) {
      Item const* const item = leaf(node).slots[i].get();
      if (item == nullptr || (previous != nullptr && !(previous->key < item->key))) {
        return false;
      }
      previous = item;
      ++seen;
      continue;
    }
    Branch const& branch = inner(node).slots[i];
    if (branch.child->height + 1 != node.height || branch.low.get() != low(*branch.child) ||
        !check(*branch.child, false, previous, seen)) {
      return false;
    }
  }
  return true;
}

template <class K, class V>
bool PersistentMap<K, V>::well_formed() const {
  Item const* previous = nullptr;
  std::size_t seen = 0;
  return root_ == nullptr ? size_ == 0 : check(*root_, true, previous, seen) && seen == size_;
}

}  // namespace store
