#[derive(Import)]
struct Deps {
    alpha: Imported<dyn Alpha>,
    #[import(host)]
    queue: Imported<dyn jobs::JobQueue>,
    #[import(optional, from = "beta-plugin")]
    beta: Option<Imported<dyn Beta>>,
    #[import(order_only)]
    gamma: (),
    #[import(skip)]
    cache: u32,
}
