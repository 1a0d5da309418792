// Immutable ordered sets and maps: a change yields a new one that shares everything but the path to what changed.
//
// A B+ tree with path copying. Nodes hold up to 32 slots; a slot of a leaf points to an item, which carries its key, so
// that copying a node copies reference counts and never keys. A slot of an inner node knows the lowest item of its
// subtree by a plain pointer: it is exact at all times, so the subtree itself keeps it alive.
//
// Names have long prefixes in common, and comparing each of them means two cache misses. So a node of string keys also
// holds, side by side, the eight octets of each key that follow the prefix common to all keys of the node: a search
// compares those and touches a single key.
//
// Cost with n items: find O(log n); insert and erase copy log32(n) nodes; for_each and from_sorted O(n).
// Pointers to items stay good as long as any set that holds the item does; pointers to pointers as long as this set does.
//
// Threads: immutable value; maps that share nodes may be read, copied and dropped from any thread.
#pragma once

#include "base/result/result.hpp"

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <memory>
#include <string>
#include <string_view>
#include <type_traits>
#include <utility>
#include <vector>

namespace store {

// An ordered set of items that carry their own key: KeyOf{}(item) is a string_view or a K const&.
template <class T, class KeyOf>
class PersistentSet {
 public:
  using Item = T;
  using ItemPtr = std::shared_ptr<T const>;
  using Query = std::invoke_result_t<KeyOf, T const&>;

  PersistentSet() = default;

  // O(n). The keys must ascend strictly (ASSERT).
  static PersistentSet from_sorted(std::vector<ItemPtr> const& items);

  [[nodiscard]] std::size_t size() const { return size_; }
  [[nodiscard]] bool empty() const { return size_ == 0; }

  // The item at `key`, or nullptr.
  [[nodiscard]] ItemPtr const* find(Query key) const {
    ItemPtr const* const slot = slot_at_or_before(key);
    return slot != nullptr && !(key_of(**slot) < key) ? slot : nullptr;
  }
  [[nodiscard]] bool contains(Query key) const { return find(key) != nullptr; }

  [[nodiscard]] T const* first() const;                   // lowest item, nullptr when empty
  [[nodiscard]] T const* last() const;                    // highest item, nullptr when empty
  [[nodiscard]] T const* predecessor(Query key) const {   // greatest <= key, or nullptr (the caller wraps)
    ItemPtr const* const slot = slot_at_or_before(key);
    return slot != nullptr ? slot->get() : nullptr;
  }
  [[nodiscard]] T const* before(Query key) const;         // greatest < key, or nullptr
  [[nodiscard]] T const* lower_bound(Query key) const;    // smallest >= key, or nullptr
  [[nodiscard]] T const* upper_bound(Query key) const;    // smallest > key, or nullptr (the caller wraps)

  // A set with `item` at its key, whether or not there was one. This set is unchanged.
  [[nodiscard]] PersistentSet insert(ItemPtr const& item) const;
  // A set without `key`; without such an item, this very set.
  [[nodiscard]] PersistentSet erase(Query key) const;

  // In order; visit(ItemPtr const&).
  template <class Visit>
  void for_each(Visit&& visit) const {
    if (root_) {
      walk(*root_, [&visit](ItemPtr const& item) {
        visit(item);
        return true;
      });
    }
  }
  // In order from the first key >= `from` while visit(ItemPtr const&) returns true.
  template <class Visit>
  void for_each_from(Query from, Visit&& visit) const {
    if (root_) {
      walk_from(*root_, from, visit);
    }
  }

  // True when both are one tree: nothing changed in between.
  [[nodiscard]] bool same_as(PersistentSet const& other) const { return root_ == other.root_; }
  // Checks order, fill and the steering items; for tests.
  [[nodiscard]] bool well_formed() const;

 private:
  static constexpr std::size_t slots_max = 32;
  static constexpr std::size_t slots_min = 8;    // below, a node is merged with a neighbour
  static constexpr std::size_t slots_bulk = 24;  // from_sorted leaves room for later inserts
  static constexpr bool has_heads = std::is_same_v<Query, std::string_view>;

  struct Node {
    std::uint16_t height = 0;  // 0: a leaf
    std::uint16_t count = 0;
    std::uint32_t prefix = 0;  // length of what all keys of the slots have in common
    std::array<std::uint64_t, has_heads ? slots_max : 0> heads;
  };
  using NodePtr = std::shared_ptr<Node const>;
  struct Branch {
    Item const* low = nullptr;
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
  // Slots on their way into a node, with heads of keys cut after `prefix` octets.
  template <class Slot>
  struct Draft {
    std::array<Slot, 2 * slots_max> slots;
    std::array<std::uint64_t, 2 * slots_max> heads;
    std::uint32_t prefix = 0;
    std::size_t count = 0;
    std::uint16_t height = 0;

    void add(Slot slot, std::uint64_t head) {
      slots[count] = std::move(slot);
      heads[count++] = head;
    }
    void add(NodeOf<Slot> const& node, std::size_t from, std::size_t to) {
      for (std::size_t i = from; i < to; ++i) {
        add(node.slots[i], node_head(node, i, prefix));
      }
    }
  };

  static Leaf const& leaf(Node const& node) { return static_cast<Leaf const&>(node); }
  static Inner const& inner(Node const& node) { return static_cast<Inner const&>(node); }
  static Query key_of(Item const& item) { return KeyOf{}(item); }
  static Query low_key(ItemPtr const& slot) { return key_of(*slot); }
  static Query low_key(Branch const& slot) { return key_of(*slot.low); }
  static Item const* low_item(ItemPtr const& slot) { return slot.get(); }
  static Item const* low_item(Branch const& slot) { return slot.low; }

  // The eight octets of a key behind its first `prefix`, so that they compare as a number; zeros behind its end.
  static std::uint64_t head_of(Query key, std::uint32_t prefix) {
    std::uint64_t head = 0;
    if constexpr (has_heads) {
      std::array<unsigned char, sizeof head> octets{};
      if (key.size() > prefix) {
        std::memcpy(octets.data(), key.data() + prefix, std::min(key.size() - prefix, octets.size()));
      }
      for (unsigned char const octet : octets) {
        head = head << 8 | octet;
      }
    }
    return head;
  }
  template <class Slot>
  static std::uint64_t node_head(NodeOf<Slot> const& node, std::size_t index, std::uint32_t prefix) {
    if constexpr (has_heads) {
      return node.prefix == prefix ? node.heads[index] : head_of(low_key(node.slots[index]), prefix);
    }
    return 0;
  }
  static std::uint32_t common_prefix(Query a, Query b) {
    std::uint32_t length = 0;
    if constexpr (has_heads) {
      auto const end = std::mismatch(a.begin(), a.end(), b.begin(), b.end()).first;
      length = static_cast<std::uint32_t>(end - a.begin());
    }
    return length;
  }

  // Index of the last slot whose lowest key is <= key, plus one; 0 when all are greater.
  template <class Slot>
  static std::size_t position(NodeOf<Slot> const& node, Query key);
  [[nodiscard]] ItemPtr const* slot_at_or_before(Query key) const;

  // A node of the draft's slots [from, to), which move into it.
  template <class Slot>
  static Branch make_node(Draft<Slot>& draft, std::size_t from, std::size_t to);
  // The draft as one node, or as two halves when it does not fit.
  template <class Slot>
  static Pieces pack(Draft<Slot>& draft);
  // `node` with the slots [from, to) replaced by the `added` first of `replacement`.
  template <class Slot>
  static Pieces splice(NodeOf<Slot> const& node, std::size_t from, std::size_t to,
                       std::array<Slot, 2> const& replacement, std::size_t added);
  // The slots of two neighbours, as one node when they fit.
  template <class Slot>
  static Pieces join(NodeOf<Slot> const& left, NodeOf<Slot> const& right);

  static Pieces insert_into(Node const& node, ItemPtr const& item, bool& replaced);
  static Pieces erase_from(Node const& node, Query key);  // the key is there
  static Pieces rebalance(Inner const& node, std::size_t index, Branch const& child);
  template <class Slot>
  static std::vector<Branch> level_above(std::vector<Slot> const& slots, std::uint16_t height);

  template <class Visit>
  static bool walk(Node const& node, Visit const& visit);
  template <class Visit>
  static bool walk_from(Node const& node, Query from, Visit const& visit);
  static Item const* low(Node const& node) {
    return node.height == 0 ? leaf(node).slots[0].get() : inner(node).slots[0].low;
  }
  static Item const* high(Node const* node);
  template <class Slot>
  static bool check_heads(NodeOf<Slot> const& node);
  static bool check(Node const& node, bool root, Item const*& previous, std::size_t& seen);

  NodePtr root_;
  std::size_t size_ = 0;
};


// The same with keys beside values. With K = std::string a lookup takes a string_view and makes no string.
template <class K, class V>
class PersistentMap {
 public:
  struct Item {
    K key;
    V value;
  };
  struct KeyOf {
    using Key = std::conditional_t<std::is_same_v<K, std::string>, std::string_view, K const&>;
    Key operator()(Item const& item) const { return item.key; }
  };
  using Query = typename KeyOf::Key;

  static PersistentMap from_sorted(std::vector<Item> items) {
    std::vector<std::shared_ptr<Item const>> pointers;
    pointers.reserve(items.size());
    for (Item& item : items) {
      pointers.push_back(std::make_shared<Item const>(std::move(item)));
    }
    return PersistentMap(Items::from_sorted(pointers));
  }
  PersistentMap() = default;

  [[nodiscard]] std::size_t size() const { return items_.size(); }
  [[nodiscard]] bool empty() const { return items_.empty(); }
  [[nodiscard]] V const* find(Query key) const {
    auto const* const item = items_.find(key);
    return item != nullptr ? &(*item)->value : nullptr;
  }
  [[nodiscard]] bool contains(Query key) const { return items_.contains(key); }
  [[nodiscard]] Item const* first() const { return items_.first(); }
  [[nodiscard]] Item const* last() const { return items_.last(); }
  [[nodiscard]] Item const* predecessor(Query key) const { return items_.predecessor(key); }
  [[nodiscard]] Item const* before(Query key) const { return items_.before(key); }
  [[nodiscard]] Item const* lower_bound(Query key) const { return items_.lower_bound(key); }
  [[nodiscard]] Item const* upper_bound(Query key) const { return items_.upper_bound(key); }
  [[nodiscard]] PersistentMap insert(K key, V value) const {
    return PersistentMap(items_.insert(std::make_shared<Item const>(Item{std::move(key), std::move(value)})));
  }
  [[nodiscard]] PersistentMap erase(Query key) const { return PersistentMap(items_.erase(key)); }
  // In order; visit(K const&, V const&).
  template <class Visit>
  void for_each(Visit&& visit) const {
    items_.for_each([&visit](auto const& item) { visit(item->key, item->value); });
  }
  // In order from the first key >= `from` while visit(K const&, V const&) returns true.
  template <class Visit>
  void for_each_from(Query from, Visit&& visit) const {
    items_.for_each_from(from, [&visit](auto const& item) { return visit(item->key, item->value); });
  }
  [[nodiscard]] bool same_as(PersistentMap const& other) const { return items_.same_as(other.items_); }
  [[nodiscard]] bool well_formed() const { return items_.well_formed(); }

 private:
  using Items = PersistentSet<Item, KeyOf>;
  explicit PersistentMap(Items items) : items_(std::move(items)) {}
  Items items_;
};

}  // namespace store

#include "dns-backend/snapshot/persistent/persistent_map_impl.hpp"
