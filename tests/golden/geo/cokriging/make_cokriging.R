# Golden answers of gstat: Rscript make_cokriging.R <folder with meuse.csv> <out>
suppressMessages({library(sp); library(gstat)})
args <- commandArgs(trailingOnly = TRUE)
options(digits = 17)
meuse <- read.csv(file.path(args[1], "meuse.csv"))
grid <- read.csv(file.path(args[1], "meuse_grid.csv"))
out <- args[2]
write <- function(table, name)
  write.csv(format(table, digits = 15), file.path(out, name),
            row.names = FALSE, quote = FALSE)
meuse$log_zinc <- log(meuse$zinc)
meuse$log_lead <- log(meuse$lead)
meuse$organic <- meuse$om
coordinates(meuse) <- ~x + y
targets <- grid[seq(5, nrow(grid), by = 23), c("x", "y")]
coordinates(targets) <- ~x + y

# 1. empirical variograms and the linear model that fit.lmc makes of them
g <- gstat(id = "log_zinc", formula = log_zinc ~ 1, data = meuse)
g <- gstat(g, id = "log_lead", formula = log_lead ~ 1, data = meuse)
v <- variogram(g)
write(data.frame(id = v$id, np = v$np, dist = v$dist, gamma = v$gamma), "variograms.csv")
model <- vgm(0.6, "Sph", 900, 0.05)
for (id in c("log_zinc", "log_lead")) g <- gstat(g, id, model = model)
g <- gstat(g, c("log_zinc", "log_lead"), model = model)
m <- fit.lmc(v, g, model, fit.ranges = FALSE, correct.diagonal = 1)
rows <- lapply(names(m$model), function(id) data.frame(
  id = id, nugget = m$model[[id]]$psill[1], sill = m$model[[id]]$psill[2],
  range = m$model[[id]]$range[2]))
write(do.call(rbind, rows), "fit_lmc_900.csv")

# 2. ordinary, simple and local cokriging with one given model
model_of <- function(nugget, sill) vgm(sill, "Sph", 900, nugget)
build <- function(first, second, nmax = Inf, beta = NULL) {
  add <- function(g, id, formula, data, model, mean)
    if (is.null(mean)) gstat(g, id, formula, data = data, model = model, nmax = nmax)
    else gstat(g, id, formula, data = data, model = model, nmax = nmax, beta = mean)
  g <- add(NULL, "log_zinc", log_zinc ~ 1, first, model_of(0.05, 0.59), beta[1])
  g <- add(g, "log_lead", log_lead ~ 1, second, model_of(0.06, 0.46), beta[2])
  gstat(g, c("log_zinc", "log_lead"), model = model_of(0.04, 0.50))
}
answer <- function(g, name) {
  p <- as.data.frame(predict(g, targets, debug.level = 0))
  write(p[, c("x", "y", "log_zinc.pred", "log_zinc.var", "log_lead.pred",
              "log_lead.var")], name)
}
few <- meuse[seq(1, nrow(meuse), by = 3), ]
answer(build(meuse, meuse), "isotopic.csv")
answer(build(few, meuse), "heterotopic.csv")
answer(build(few, meuse, nmax = 12), "heterotopic_nmax12.csv")
answer(build(few, meuse, beta = c(5.9, 4.8)), "heterotopic_simple.csv")

# three variables, two structures, organic matter with two gaps
three <- function(nugget, near, far)
  vgm(far, "Exp", 400, add.to = vgm(near, "Sph", 500, nugget))
organic <- meuse[!is.na(meuse$om), ]
meuse$sqrt_dist <- sqrt(meuse$dist)
g <- gstat(NULL, "log_zinc", log_zinc ~ 1, data = few, model = three(0.05, 0.3, 0.4))
g <- gstat(g, "om", om ~ 1, data = organic, model = three(1.2, 5, 7))
g <- gstat(g, "sqrt_dist", sqrt_dist ~ 1, data = meuse,
           model = three(0.002, 0.02, 0.04))
g <- gstat(g, c("log_zinc", "om"), model = three(0.1, 0.9, 1.2))
g <- gstat(g, c("log_zinc", "sqrt_dist"), model = three(-0.002, -0.05, -0.09))
g <- gstat(g, c("om", "sqrt_dist"), model = three(0, -0.2, -0.3))
p <- as.data.frame(predict(g, targets, debug.level = 0))
write(p[, c("x", "y", "log_zinc.pred", "log_zinc.var", "om.pred", "om.var")],
      "three.csv")

# 3. indicator kriging of zinc, raw and with the order relations of order = 4
levels <- c(150, 250, 400, 700, 1000)
indicators <- function(order, nmax) {
  g <- NULL
  for (t in levels) {
    meuse$below <- as.numeric(meuse$zinc <= t)
    g <- gstat(g, paste0("t", t), below ~ 1, data = meuse, nmax = nmax,
               model = vgm(0.15, "Sph", 900, 0.03), set = list(order = order))
  }
  p <- as.data.frame(predict(g, targets, debug.level = 0))
  p[, c("x", "y", paste0("t", levels, ".pred"))]
}
write(indicators(0, 16), "indicator_raw.csv")
write(indicators(4, 16), "indicator_order4.csv")
writeLines(c(R.version.string, paste("gstat", packageVersion("gstat")),
             paste("sp", packageVersion("sp"))), file.path(out, "versions.txt"))
