"""smdvs, 新能源汽车事故上报平台: takes accident reports from car makers; a relying party of the platform."""
