#include "node/registry.hpp"

#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <cstdio>
#include <cstdlib>
#include <iterator>
#include <utility>

namespace keel::node {
namespace {

/// One opening's share of a store: its close gives back that share, not the store.
class Handle final : public db::detail::StoreImpl {
  public:
    Handle(Registry& registry, std::shared_ptr<OpenStore> store)
        : registry_(registry), store_(std::move(store)) {}
    ~Handle() override {
        try {
            close();
        } catch (const core::Fault&) {
            // Whoever wants to hear of it calls close() first.
        }
    }
    Handle(const Handle&) = delete;
    Handle& operator=(const Handle&) = delete;

    db::detail::TxnImpl* begin_ro() override { return open().begin_ro(); }
    core::Result<db::detail::TxnImpl*, db::Refused> begin_rw(std::stop_token stop,
                                                             db::Deadline deadline) override {
        return open().begin_rw(std::move(stop), deadline);
    }
    core::Result<db::detail::TxnImpl*, db::Refused> begin_rw_try() override {
        return open().begin_rw_try();
    }
    db::Table table(std::string_view name) override { return impl().table(name); }
    std::string table_name(db::Table table) override { return impl().table_name(table); }
    void sync() override { open().sync(); }
    void close() override {
        if (!closed_.exchange(true)) registry_.release(store_);
    }
    db::Stats stats() override { return impl().stats(); }
    std::string uid() override { return impl().uid(); }
    std::string path() override { return store_->path; }
    bool read_only() override { return impl().read_only(); }

  private:
    db::detail::StoreImpl& impl() { return store_->database.impl(); }
    db::detail::StoreImpl& open() {
        if (closed_.load())
            throw db::Error(db::ErrorCode::Closed, store_->path + ": this handle is closed");
        return impl();
    }

    Registry& registry_;
    const std::shared_ptr<OpenStore> store_;
    std::atomic<bool> closed_ = false;
};

// std::exit from any thread runs no destructor of that thread's callers; this runs.
void close_at_exit() {
    std::optional<core::Fault> fault = Registry::process().commit_open_work();
    std::optional<core::Fault> closing = Registry::process().close_all();
    if (!fault) fault = std::move(closing);
    if (!fault) return;
    std::fprintf(stderr, "keel: %s\n", fault->what());
    std::_Exit(fault->exit_code());
}

}  // namespace

Registry& Registry::process() {
    // Never destroyed: whoever exits last still finds it.
    static Registry* const kRegistry = new Registry;
    return *kRegistry;
}

db::Database Registry::acquire(const std::function<bool(const OpenStore&)>& find,
                               const Opener& open) {
    const std::lock_guard guard(mutex_);
    if (owner_ != ::getpid()) {
        // Stores opened before a fork are the parent's. They are kept, not closed.
        if (owner_ != -1)
            for (std::shared_ptr<OpenStore>& store : stores_)
                static_cast<void>(new std::shared_ptr<OpenStore>(std::move(store)));
        stores_.clear();
        owner_ = ::getpid();
    }
    if (!at_exit_) {
        std::atexit(close_at_exit);
        at_exit_ = true;
    }
    const auto found = std::ranges::find_if(
        stores_, [&](const std::shared_ptr<OpenStore>& store) { return find(*store); });
    std::shared_ptr<OpenStore> store;
    if (found != stores_.end()) {
        store = *found;
    } else {
        store = open();
        stores_.push_back(store);
    }
    ++store->handles;
    return db::Database(std::make_shared<Handle>(*this, std::move(store)));
}

void Registry::close_store(OpenStore& store) {
    if (store.closed) return;
    store.closed = true;
    struct Release {
        DirectoryLock& lock;
        ~Release() { lock.release(); }
    } const release{store.lock};
    store.database.close();
}

void Registry::release(const std::shared_ptr<OpenStore>& store) {
    const std::lock_guard guard(mutex_);
    if (owner_ != ::getpid()) return;
    if (--store->handles > 0) return;
    std::erase(stores_, store);
    close_store(*store);
}

std::optional<core::Fault> Registry::close_all() noexcept {
    const std::lock_guard guard(mutex_);
    std::optional<core::Fault> first;
    if (owner_ != ::getpid()) return first;
    while (!stores_.empty()) {
        const std::shared_ptr<OpenStore> store = std::move(stores_.back());
        stores_.pop_back();
        try {
            close_store(*store);
        } catch (const core::Fault& fault) {
            if (!first) first = fault;
        } catch (const std::exception& error) {
            if (!first) first = core::Fault(core::FaultKind::Failed, error.what());
        }
    }
    return first;
}

Registry::OpenWork::OpenWork(Registry& registry, std::function<void()> commit)
    : registry_(registry), commit_(std::move(commit)), thread_(std::this_thread::get_id()) {
    const std::lock_guard guard(registry_.works_mutex_);
    registry_.works_.push_back(this);
}

Registry::OpenWork::~OpenWork() {
    const std::lock_guard guard(registry_.works_mutex_);
    std::erase(registry_.works_, this);
}

std::optional<core::Fault> Registry::commit_open_work() noexcept {
    std::vector<OpenWork*> own;
    {
        const std::lock_guard guard(works_mutex_);
        std::ranges::copy_if(works_, std::back_inserter(own), [](const OpenWork* work) {
            return work->thread_ == std::this_thread::get_id();
        });
    }
    std::optional<core::Fault> first;
    for (OpenWork* work : own) {
        try {
            work->commit_();
        } catch (const core::Fault& fault) {
            if (!first) first = fault;
        } catch (const std::exception& error) {
            if (!first) first = core::Fault(core::FaultKind::Failed, error.what());
        }
    }
    return first;
}

size_t Registry::size() const {
    const std::lock_guard guard(mutex_);
    return stores_.size();
}

}  // namespace keel::node
