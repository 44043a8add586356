//! What a user of wasmtime writes.
use std::path::Path;
use std::sync::RwLock;
use std::sync::atomic::{AtomicU64, Ordering};
use wasmtime::{Engine, Instance, Memory, Module, Result, Store, TypedFunc};

/// The newest build, and how many there were.
pub struct Hum {
    module: RwLock<Module>,
    reloads: AtomicU64,
}

impl Hum {
    pub fn open(build: &Path) -> Result<Self> {
        Ok(Hum {
            module: RwLock::new(Module::from_file(&Engine::default(), build)?),
            reloads: AtomicU64::new(0),
        })
    }

    /// Compiles another build. Each thread makes an instance of it before its next call.
    pub fn reload(&self, build: &Path) -> Result<()> {
        let engine = self.module.read().expect("nothing panics").engine().clone();
        let new = Module::from_file(&engine, build)?;
        *self.module.write().expect("nothing panics") = new;
        self.reloads.fetch_add(1, Ordering::Release);
        Ok(())
    }
}

/// The instance of one thread.
pub struct Thread {
    store: Store<()>,
    memory: Memory,
    place: usize,
    add: TypedFunc<(i64, i64), i64>,
    hum: TypedFunc<(u32, u64), u64>,
    version: TypedFunc<(), u64>,
}

impl Thread {
    fn new(module: &Module) -> Result<Self> {
        let mut store = Store::new(module.engine(), ());
        let instance = Instance::new(&mut store, module, &[])?;
        let name = instance.get_typed_func::<(), u32>(&mut store, "name")?;
        let memory = instance.get_memory(&mut store, "memory");
        Ok(Thread {
            memory: memory.expect("the module has memory"),
            place: name.call(&mut store, ())? as usize,
            add: instance.get_typed_func(&mut store, "add")?,
            hum: instance.get_typed_func(&mut store, "hum")?,
            version: instance.get_typed_func(&mut store, "version")?,
            store,
        })
    }

    pub fn add(&mut self, a: i64, b: i64) -> i64 {
        let sum = self.add.call(&mut self.store, (a, b));
        sum.expect("the module adds")
    }
}

/// The instance of one thread, which follows the newest build.
pub struct Caller<'h> {
    hum: &'h Hum,
    reloads: u64,
    thread: Thread,
}

impl<'h> Caller<'h> {
    pub fn new(hum: &'h Hum) -> Self {
        let reloads = hum.reloads.load(Ordering::Acquire);
        let module = hum.module.read().expect("nothing panics");
        let thread = Thread::new(&module).expect("the module can be instantiated");
        Caller {
            hum,
            reloads,
            thread,
        }
    }

    /// Returns an instance of the newest build.
    pub fn newest(&mut self) -> &mut Thread {
        if self.hum.reloads.load(Ordering::Acquire) != self.reloads {
            *self = Caller::new(self.hum);
        }
        &mut self.thread
    }

    pub fn add(&mut self, a: i64, b: i64) -> i64 {
        self.newest().add(a, b)
    }

    pub fn hum(&mut self, name: &str, times: u64) -> u64 {
        let thread = self.newest();
        let written = thread
            .memory
            .write(&mut thread.store, thread.place, name.as_bytes());
        written.expect("the name fits");
        let length = u32::try_from(name.len()).expect("the name fits");
        let hummed = thread.hum.call(&mut thread.store, (length, times));
        hummed.expect("the module hums")
    }

    pub fn version(&mut self) -> u64 {
        let thread = self.newest();
        let version = thread.version.call(&mut thread.store, ());
        version.expect("the module has a version")
    }
}
