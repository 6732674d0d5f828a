//! Compiles the contract without protoc, and refuses one that leaves open what a field tells, what a method is for, or
//! who may call it.

#[path = "build/check.rs"]
mod check;
#[path = "build/services.rs"]
mod services;

use prost_reflect::DescriptorPool;
use std::fmt::Write as _;
use std::path::{Path, PathBuf};
use std::{env, error::Error, fs};

fn main() -> Result<(), Box<dyn Error>> {
    let root = Path::new(&env::var("CARGO_MANIFEST_DIR")?).join("../../proto");
    println!("cargo::rerun-if-changed={}", root.display());
    println!("cargo::rerun-if-changed=build");

    let mut files = Vec::new();
    find_protos(&root, &mut files)?;
    files.sort();

    let mut compiler = protox::Compiler::new([&root])?;
    compiler.include_imports(true).include_source_info(true).open_files(&files)?;
    let pool = compiler.descriptor_pool();
    check::contract(&pool).map_err(|faults| format!("the contract is incomplete:\n  {}", faults.join("\n  ")))?;
    let table = Path::new(&env::var("CARGO_MANIFEST_DIR")?).join("../auth/policy");
    println!("cargo::rerun-if-changed={}", table.display());
    let open = check::rights(&pool, &table)?;
    if !open.is_empty() {
        return Err(format!("nobody may call what is not in {}:\n  {}", table.display(), open.join("\n  ")).into());
    }

    let out = PathBuf::from(env::var("OUT_DIR")?);
    fs::write(out.join("descriptors.bin"), compiler.encode_file_descriptor_set())?;
    fs::write(out.join("mutations.rs"), mutations(&pool)?)?;
    prost_build::Config::new()
        .enable_type_names()
        .service_generator(Box::new(services::Roads))
        .include_file("protos.rs")
        .compile_fds(compiler.file_descriptor_set())?;
    Ok(())
}

fn find_protos(folder: &Path, files: &mut Vec<PathBuf>) -> Result<(), Box<dyn Error>> {
    for entry in fs::read_dir(folder)? {
        let path = entry?.path();
        if path.is_dir() {
            find_protos(&path, files)?;
        } else if path.extension().is_some_and(|extension| extension == "proto") {
            files.push(path);
        }
    }
    Ok(())
}

/// `impl Mutation` for every request that has a `request_id`.
fn mutations(pool: &DescriptorPool) -> Result<String, std::fmt::Error> {
    let mut code = String::new();
    for service in pool.services() {
        for input in service.methods().map(|method| method.input()) {
            if input.get_field_by_name("request_id").is_some() {
                let module = input.package_name().replace('.', "::");
                let name = input.name();
                writeln!(
                    code,
                    "impl crate::Mutation for crate::generated::{module}::{name} {{ fn request_id(&self) -> &str {{ &self.request_id }} }}"
                )?;
            }
        }
    }
    Ok(code)
}
